# The image of both containers, operator and sandbox: the checkout with what it needs at run time.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /sluice
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional
COPY host host

FROM node:24.21.0-bookworm-slim
WORKDIR /sluice
COPY --from=build /sluice .
COPY package.json LICENSE ./
USER 65532:65532
CMD ["node", "--no-warnings", "host/main.ts", "operator"]
