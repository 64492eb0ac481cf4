// Keeps a chart in sight until the one that takes its place is drawn.
//
// Streamlit takes a chart whose figure changed off the page and puts a new one in its place, which is drawn some
// frames later: the page would flicker each time its data change. Here a picture of each chart in or near sight is
// taken when a run begins; it lies where the chart was from the moment in which it is taken off until the new one is
// drawn, and never longer than that may take.
(() => {
  "use strict";
  const STATE = "data-test-script-state";
  const CHART = "[data-testid='stPlotlyChart']";
  const AT_MOST_MS = 400;
  const AFTER_RUN_MS = 1000;
  let pictures = new Map(); // the key of a chart's place -> how the chart looked when the run began
  const held = new Map(); // a place -> the picture that lies there
  let ending = 0;

  function isDrawn(place) {
    const drawing = place.querySelector(`${CHART} .js-plotly-plot .main-svg`);
    return drawing !== null && getComputedStyle(drawing).visibility !== "hidden";
  }

  function isAwaited(place) {
    return place.querySelector(CHART) !== null || [...place.children].every((child) => child === held.get(place));
  }

  function pictureOf(chart) {
    const picture = document.createElement("div");
    picture.className = "luopan-held";
    picture.setAttribute("aria-hidden", "true");
    picture.dataset.height = chart.getBoundingClientRect().height;
    for (const layer of chart.querySelectorAll(".svg-container > .main-svg")) {
      const copy = layer.cloneNode(true);
      copy.querySelectorAll(".hoverlayer > *").forEach((told) => told.remove());
      copy.style.cssText += "position: absolute; top: 0; left: 0; pointer-events: none";
      picture.append(copy);
    }
    return picture;
  }

  function takePictures() {
    pictures = new Map();
    if (document.hidden) return;
    for (const chart of document.querySelectorAll(CHART)) {
      const place = chart.closest("[data-testid='stElementContainer']");
      const key = place && [...place.classList].find((name) => name.startsWith("st-key-"));
      const { top, bottom } = chart.getBoundingClientRect();
      const isNear = bottom > -innerHeight && top < 2 * innerHeight;
      if (key && isNear && isDrawn(place) && !held.has(place)) pictures.set(key, pictureOf(chart));
    }
  }

  function hold(place, picture) {
    held.set(place, picture);
    place.append(picture);
    place.style.minHeight = `${picture.dataset.height}px`;
    place.dataset.held = "";
    setTimeout(() => held.get(place) === picture && letGo(place), AT_MOST_MS);
  }

  function letGo(place) {
    held.get(place).remove();
    held.delete(place);
    place.style.minHeight = "";
    delete place.dataset.held;
  }

  function isPast(place) {
    return !place.isConnected || isDrawn(place) || !isAwaited(place);
  }

  const watching = new MutationObserver(() => {
    for (const [key, picture] of pictures) {
      const place = document.getElementsByClassName(key)[0];
      if (!place || held.has(place) || isPast(place)) continue;
      pictures.delete(key);
      hold(place, picture);
    }
    for (const [place, picture] of held) {
      const end = () => held.get(place) === picture && isPast(place) && letGo(place);
      if (isPast(place)) requestAnimationFrame(() => requestAnimationFrame(end));
    }
  });

  new MutationObserver(() => {
    const app = document.querySelector(`[${STATE}]`);
    clearTimeout(ending);
    if (app && app.getAttribute(STATE) === "running") {
      takePictures();
      if (pictures.size) {
        watching.observe(document.body, { childList: true, subtree: true, attributeFilter: ["style", "class"] });
      }
    } else {
      ending = setTimeout(() => watching.disconnect(), AFTER_RUN_MS);
    }
  }).observe(document.documentElement, { subtree: true, attributeFilter: [STATE] });
})();
