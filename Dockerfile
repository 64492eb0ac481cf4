# Luopan in one container: docker build -t luopan . && docker run -p 8501:8501 -v luopan:/data luopan
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt /
RUN python -m venv /opt/luopan \
 && /opt/luopan/bin/pip install --no-cache-dir --only-binary :all: -r /requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin luopan \
 && install -d -o luopan -g luopan -m 700 /data
COPY --from=packages /opt/luopan /opt/luopan
COPY . /app
WORKDIR /app
USER luopan
ENV PATH=/opt/luopan/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/data \
    LUOPAN_DATA_DIR=/data \
    LUOPAN_HOST=0.0.0.0
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
  "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('LUOPAN_PORT', '8501') + '/healthz', timeout=4)"]
CMD ["python", "-m", "core.serve"]
