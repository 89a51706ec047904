# holdfast with Redis, Sentinel and HAProxy: the image that `render compose` and `render kubernetes` use.
FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY scripts scripts
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY dashboard dashboard
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
# tini ends what nobody waits for; policy-rc.d keeps Debian from starting a Redis of its own.
RUN printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d \
 && chmod +x /usr/sbin/policy-rc.d \
 && apt-get update \
 && apt-get install -y --no-install-recommends redis-server redis-sentinel redis-tools haproxy tini zstd \
 && rm -rf /var/lib/apt/lists/* /usr/sbin/policy-rc.d
COPY --from=build /build/node_modules /opt/holdfast/node_modules
COPY --from=build /build/dist /opt/holdfast/dist
COPY package.json LICENSE README.md /opt/holdfast/
RUN ln -s /opt/holdfast/dist/cli/main.js /usr/local/bin/holdfast \
 && groupadd --gid 10001 holdfast \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/holdfast --shell /usr/sbin/nologin holdfast \
 && install -d -o holdfast -g holdfast -m 0700 /var/lib/holdfast \
 && install -d -m 0755 /etc/holdfast
USER 10001:10001
ENV NODE_ENV=production NO_COLOR=1
VOLUME /var/lib/holdfast
ENTRYPOINT ["/usr/bin/tini", "--", "holdfast"]
CMD ["--help"]
