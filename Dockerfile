# syntax=docker/dockerfile:1
# One image for every service:
#   docker build --tag beholden:0.1.0 .
#   docker build --tag beholden:0.1.0-models --build-arg MODELS=yes .     # the weights in it
#   docker run --read-only --tmpfs /tmp --volume beholden:/var/lib/beholden beholden:0.1.0 serve search
# `python -m tests.e2e.image` runs these steps without a container engine.
ARG PYTHON=3.11-slim-bookworm

# What is ours, as a wheel; what makes it stays behind.
FROM python:${PYTHON} AS wheel
WORKDIR /src
COPY pyproject.toml LICENSE README.md ./
COPY protos protos
COPY models models
COPY policies policies
COPY services services
RUN --mount=type=cache,target=/root/.cache/pip python -m pip wheel --no-deps --wheel-dir /dist .

# What we stand on, exactly as listed, changes seldom and comes first; then the wheel, a small layer.
FROM python:${PYTHON} AS install
RUN python -m venv /opt/beholden
# Debian's jemalloc, with which a server's memory stays flat.
RUN apt-get update && apt-get install --yes --no-install-recommends libjemalloc2
RUN cp --dereference /usr/lib/*/libjemalloc.so.2 /opt/beholden/lib/
WORKDIR /src
COPY requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/pip /opt/beholden/bin/python -m pip install --only-binary=:all: --require-hashes --requirement requirements.lock
COPY --from=wheel /dist /dist
RUN /opt/beholden/bin/python -m pip install --no-index --no-deps /dist/*.whl

# The weights, where they are asked for. Nobody's folder besides, for data.
FROM python:${PYTHON} AS models
ARG MODELS=no
COPY --from=install /opt/beholden /opt/beholden
RUN mkdir -p /models /var/lib/beholden
RUN if [ "${MODELS}" = yes ]; then /opt/beholden/bin/beholden models pull --repository /models; fi

FROM python:${PYTHON}
COPY --from=install /opt/beholden /opt/beholden
COPY --from=models --chown=10001:10001 /models /models
COPY --from=models --chown=10001:10001 /var/lib/beholden /var/lib/beholden
ENV PATH=/opt/beholden/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    BEHOLDEN_LISTEN=0.0.0.0:50051 \
    BEHOLDEN_MODEL_REPOSITORY=/models
WORKDIR /var/lib/beholden
USER 10001:10001
EXPOSE 50051 50052
ENTRYPOINT ["beholden"]
CMD ["serve", "all"]
