"""A browser without a screen: speaks Streamlit's websocket protocol, as streamlit.proto gives it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

PATIENCE = 120.0
_UNFINISHED = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
_BROKEN = ForwardMsg.ScriptFinishedStatus.FINISHED_WITH_COMPILE_ERROR


class PageBroke(Exception):
    """The page showed an exception or an error."""


@dataclass
class Shown:
    """What one run of a page drew: elements by kind, seconds it took, bytes that came."""

    elements: list[tuple[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    received: int = 0

    def of(self, kind: str) -> list[Any]:
        """Return the elements of a kind, e.g. "metric", "plotly_chart"."""
        return [element for known, element in self.elements if known == kind]

    def says(self, sentence: str) -> bool:
        """Say whether a message on the page contains `sentence`."""
        return any(sentence in alert.body for alert in self.of("alert"))

    @property
    def complaints(self) -> list[str]:
        """The exceptions and errors that a person would have read."""
        broken = [f"{element.type}: {element.message}" for element in self.of("exception")]
        return broken + [element.body for element in self.of("alert") if element.format == Alert.ERROR]

    def widget(self, key: str) -> tuple[str, Any]:
        """Return kind and element of the widget with `key`; KeyError where it was not drawn."""
        for kind, element in self.elements:
            name = getattr(element, "id", "")
            if isinstance(name, str) and name.split("-", 2)[2:] == [key]:
                return kind, element
        raise KeyError(key)

    def keys(self) -> Iterator[str]:
        """Return the keys of the widgets that were drawn."""
        for _kind, element in self.elements:
            parts = str(getattr(element, "id", "")).split("-", 2)
            if len(parts) == 3:
                yield parts[2]


class Tab:
    """A browser tab on `page` of a running program: first run, then one run for each thing done."""

    def __init__(
        self, url: str, page: str, *, query: str = "", cookies: dict[str, str] | None = None, locale: str = "en-US"
    ) -> None:
        said = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
        self.url, self.page, self.query, self.locale = url, page, query, locale
        self.page_hash = self.look = ""
        self.states: dict[str, WidgetState] = {}
        self.shown = Shown()
        begun = time.perf_counter()
        self._socket: ClientConnection = connect(
            url.replace("http", "ws", 1) + "/_stcore/stream", subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": said} if said else {}, max_size=None, compression=None,
            open_timeout=PATIENCE, ping_interval=None,
        )  # fmt: skip
        self.run()
        self.shown.seconds = time.perf_counter() - begun

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def choose(self, key: str, value: str | list[str] | float | bool) -> Shown:
        """Set a widget as a person would, and run the page."""
        self.put(key, value)
        return self.run()

    def put(self, key: str, value: str | list[str] | float | bool) -> None:
        """Set a widget without running the page, as typing does."""
        kind, element = self.shown.widget(key)
        state = WidgetState(id=element.id)
        match kind, value:
            case "multiselect" | "date_input", list():
                state.string_array_value.data.extend(value)
            case "button_group", list():
                options = [option.content for option in element.options]
                state.int_array_value.data.extend(options.index(option) for option in value)
            case "radio", str():
                state.string_value = value
            case _, bool():
                state.bool_value = value
            case _, float() | int():
                state.double_value = value
            case _, str():
                state.string_value = value
            case _:
                raise TypeError(kind, value)
        self.states[element.id] = state

    def press(self, key: str, *, twice: bool = False) -> Shown:
        """Press a button, once or in a double click, and run the page."""
        _kind, element = self.shown.widget(key)
        return self._run(WidgetState(id=element.id, trigger_value=True), twice=twice)

    def press_labelled(self, label: str) -> Shown:
        """Press the button that says `label`; KeyError where there is none."""
        for button in self.shown.of("button"):
            if button.label == label:
                return self._run(WidgetState(id=button.id, trigger_value=True))
        raise KeyError(label)

    def look_anew(self, query: str) -> Shown:
        """Have the part that runs by itself run, as a browser at address `query` has every second."""
        self._send(self._asked(query, look=True))
        return self._drawn(time.perf_counter())

    def choose_beside_a_look(self, key: str, value: str | list[str] | bool, *, apart: float) -> Shown:
        """Set a widget while the part that runs by itself sets out: its message says so `apart` seconds before ours.

        A browser puts a choice into what it says at once and sends it a moment later.
        """
        self.put(key, value)
        return self._beside_a_look(apart)

    def press_beside_a_look(self, key: str, *, apart: float) -> Shown:
        """Press a button as `choose_beside_a_look` sets a widget: both messages say so."""
        _kind, element = self.shown.widget(key)
        return self._beside_a_look(apart, WidgetState(id=element.id, trigger_value=True))

    def _beside_a_look(self, apart: float, *triggers: WidgetState) -> Shown:
        query, begun = self.query, time.perf_counter()
        self._send(self._asked(query, *triggers, look=True))
        time.sleep(apart)
        self._send(self._asked(query, *triggers))
        self.shown = Shown()
        while not self.shown.elements:
            self.shown = self._finished()
        return self._took(begun)

    def go(self, page: str, query: str = "") -> Shown:
        """Follow a link to another page in this tab."""
        self.page, self.query, self.page_hash = page, query, ""
        return self.run()

    def run(self) -> Shown:
        """Run the page until it has finished; raises PageBroke where it shows an error."""
        return self._run()

    def _run(self, *triggers: WidgetState, twice: bool = False) -> Shown:
        asked = self._asked(self.query, *triggers)
        begun = time.perf_counter()
        self._send(asked)
        if twice:
            self._send(asked)
        return self._drawn(begun)

    def _asked(self, query: str, *triggers: WidgetState, look: bool = False) -> BackMsg:
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string = query
        state.page_script_hash = self.page_hash
        state.page_name = "" if self.page_hash else self.page
        if look:
            state.fragment_id, state.is_auto_rerun = self.look, True
        state.widget_states.widgets.extend([*self.states.values(), *triggers])
        context = state.context_info
        context.timezone, context.timezone_offset, context.locale = "Asia/Shanghai", -480, self.locale
        context.url, context.color_scheme = f"{self.url}/{self.page}", "light"
        return asked

    def _send(self, asked: BackMsg) -> None:
        self._socket.send(asked.SerializeToString())

    def _drawn(self, begun: float) -> Shown:
        self.shown = self._finished()
        return self._took(begun)

    def _took(self, begun: float) -> Shown:
        self.shown.seconds = time.perf_counter() - begun
        drawn = {getattr(element, "id", ""): element for _kind, element in self.shown.elements}
        self.states = {
            name: state for name, state in self.states.items()
            if name in drawn and not getattr(drawn[name], "set_value", False)
        }  # fmt: skip
        if self.shown.complaints:
            raise PageBroke("; ".join(self.shown.complaints))
        return self.shown

    def _finished(self) -> Shown:  # noqa: C901 - a table of message kinds
        shown = Shown()
        before = self.shown
        while True:
            data = self._socket.recv(timeout=PATIENCE)
            if not isinstance(data, bytes):
                raise TypeError(type(data))
            shown.received += len(data)
            message = ForwardMsg.FromString(data)
            match message.WhichOneof("type"):
                case "new_session":
                    shown = Shown(received=shown.received)
                    self.page_hash = message.new_session.page_script_hash
                case "navigation":
                    self.page_hash = message.navigation.page_script_hash
                case "page_info_changed":
                    self.query = message.page_info_changed.query_string
                case "auto_rerun":
                    self.look = message.auto_rerun.fragment_id
                case "delta" if message.delta.add_block.WhichOneof("type") == "expandable":
                    shown.elements.append(("expandable", message.delta.add_block.expandable))
                case "delta" if message.delta.WhichOneof("type") == "new_element":
                    element = message.delta.new_element
                    kind = element.WhichOneof("type")
                    shown.elements.append((kind, getattr(element, kind)) if kind else ("empty", None))
                case "script_finished":
                    if message.script_finished == _BROKEN:
                        raise PageBroke(f"{self.page} does not compile")
                    if message.script_finished == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
                        shown.elements = [*before.elements, *shown.elements]
                        return shown
                    if message.script_finished != _UNFINISHED:
                        return shown
