# The service: API, worker, migrations and operator commands are one image, and the command chooses.
#   docker build --tag withdrawal-account-registration .
#   docker build --tag payment-gateway-simulator --target simulator .
# The Temporal SDK's native library needs glibc, so no Alpine.
FROM node:22.23.3-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS base
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY client/package.json client/

FROM base AS source
RUN npm ci
COPY . .

FROM source AS build
RUN npm run build

FROM base AS dependencies
# The SDK brings its native library for five platforms.
RUN npm ci --omit=dev --omit=optional \
  && native=$(node --print "({ x64: 'x86_64', arm64: 'aarch64' })[process.arch] + '-unknown-linux-gnu'") \
  && test -d "node_modules/@temporalio/core-bridge/releases/$native" \
  && find node_modules/@temporalio/core-bridge/releases -mindepth 1 -maxdepth 1 ! -name "$native" -exec rm -r {} +

# For trials: it does not start in production.
FROM source AS simulator
ENV HOST=0.0.0.0 PG_SIMULATOR_PORT=3001 PG_SIMULATOR_DATA_DIR=/data
RUN mkdir /data && chown 1000:1000 /data
USER 1000:1000
EXPOSE 3001
HEALTHCHECK --interval=5s --timeout=3s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.PG_SIMULATOR_PORT}/simulator/registrations`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "--import", "./development/run-from-source/preload.mjs", "development/simulator/main.ts"]

FROM base AS service
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# Nothing here belongs to this user, and nothing writes below /app: run it with a read-only file system.
USER 1000:1000
EXPOSE 3000
# The worker serves its health at HEALTH_PORT.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "--eval", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT ?? process.env.PORT ?? 3000}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/api/main.js"]
