# syntax=docker/dockerfile:1

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY sdk/typescript/package.json ./sdk/typescript/
COPY web/package.json ./web/
COPY scripts ./scripts
COPY prisma ./prisma
COPY prisma.config.ts ./
# Nothing that is installed runs code of its own; the build generates the database client.
RUN npm ci --ignore-scripts
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY sdk ./sdk
COPY web ./web
RUN npm run build

FROM node:22-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY sdk/typescript/package.json ./sdk/typescript/
COPY web/package.json ./web/
# Without peers: the Prisma CLI is an optional one, and would bring half of all that is installed.
RUN npm ci --omit=dev --legacy-peer-deps --ignore-scripts --workspaces=false

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
WORKDIR /app
# dist/sbom.cdx.json lists all packages of others, the panel's too (CycloneDX).
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/web/dist ./web/dist
COPY package.json LICENSE ./
COPY prisma ./prisma
# The embedded database lives here, and checkpoints.log. Nothing else but /tmp is written to.
RUN mkdir /data && chown 1000:1000 /data
VOLUME /data
# `node`, as numbers: of a name an orchestrator cannot tell that it is not root.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]
