# The benchmark side of vla-evaluation-harness, rendering on a GPU where the container has one, else on the CPU.
# docker build -f docker/vla_eval.Dockerfile -t pickclutter-lang:vla-eval .
FROM python:3.11-slim

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libvulkan1 libgl1 libx11-6 libglib2.0-0 mesa-vulkan-drivers \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY . .
ENV PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
RUN docker/install_vla_eval.sh python .

WORKDIR /work
ENV NVIDIA_DRIVER_CAPABILITIES=all
ENTRYPOINT ["vla-eval"]
