# The bot with the platforms of this repository, for use with a MongoDB beside it (compose.yaml). It brings no mongod.

FROM python:3.12-slim AS build
RUN python -m venv /opt/logicspike
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY bot bot
COPY plugins plugins
RUN /opt/logicspike/bin/pip install --no-cache-dir --constraint constraints.txt \
    . ./plugins/facebook ./plugins/linkedin ./plugins/twitter

FROM python:3.12-slim
COPY --from=build /opt/logicspike /opt/logicspike
ENV PATH=/opt/logicspike/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=3000
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin logicspike
USER 10001
# Settings come from the environment: there is no .env in here.
WORKDIR /opt/logicspike
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/readyz', timeout=4)"]
# The first SIGTERM lets it finish what is in flight.
STOPSIGNAL SIGTERM
ENTRYPOINT ["logicspike"]
CMD ["serve"]
