# Tanpu 碳普 as an image. `runtime` has neither compiler nor Node; `anvil` is a chain for one machine.
FROM python:3.11-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/tanpu UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /src
# First the dependencies alone: they change rarely, and the layer is kept.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
COPY app app
COPY ledger ledger
COPY methodologies methodologies
RUN uv sync --frozen --no-dev --no-editable

FROM node:24-bookworm-slim AS anvil-build
WORKDIR /src
COPY contracts/package.json contracts/package-lock.json ./
RUN npm ci --ignore-scripts \
 && cp node_modules/@foundry-rs/anvil-linux-*/bin/anvil /anvil

FROM debian:bookworm-slim AS anvil
RUN useradd --system --create-home --home-dir /data anvil
COPY --from=anvil-build /anvil /bin/anvil
USER anvil
VOLUME /data
EXPOSE 8545
# Mining at once; on a timer each empty block would cost state for ever.
ENTRYPOINT ["anvil", "--host", "0.0.0.0", "--chain-id", "31337", "--state", "/data/state.json", "--state-interval", "5"]

FROM python:3.11-slim-bookworm AS runtime
RUN useradd --system --create-home --home-dir /data tanpu \
 && install --directory --owner=tanpu /data/keys /data/guard
COPY --from=build /opt/tanpu /opt/tanpu
ENV PATH=/opt/tanpu/bin:$PATH TANPU_HOME=/data PYTHONDONTWRITEBYTECODE=1
USER tanpu
WORKDIR /data
EXPOSE 8000
ENTRYPOINT ["tanpu"]
CMD ["api"]
