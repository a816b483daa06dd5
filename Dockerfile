# The image operators run: `docker build --tag duedesk .`; docs/operating.md says how it is used.
FROM python:3.11-slim

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# Nobody logs in as this user; the book, where it is a file, and a font cache are all that it may write.
RUN useradd --system --uid 10001 --home-dir /var/lib/duedesk --create-home --shell /usr/sbin/nologin duedesk

WORKDIR /opt/duedesk

# What changes rarely comes first: the locked packages, each with its hash checked.
COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
RUN pip install --no-deps --no-build-isolation .

USER duedesk
WORKDIR /var/lib/duedesk
VOLUME /var/lib/duedesk

# Health is asked for inside the container only; DUEDESK_METRICS_HOST=0.0.0.0 lets monitoring in.
ENV DATABASE_URL=sqlite:////var/lib/duedesk/duedesk.db \
    DUEDESK_HOST=0.0.0.0 \
    DUEDESK_METRICS_PORT=9464 \
    MPLCONFIGDIR=/var/lib/duedesk/.matplotlib
EXPOSE 3000 9464

HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"DUEDESK_METRICS_PORT\"]}/healthz', timeout=4)"]

ENTRYPOINT ["duedesk"]
CMD ["run"]
