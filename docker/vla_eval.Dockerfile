# The benchmark side of vla-evaluation-harness, rendering on a GPU where the container has one, else on the CPU.
# docker build -f docker/vla_eval.Dockerfile -t pickclutter-lang:vla-eval .
FROM python:3.11-slim

RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libvulkan1 libgl1 libx11-6 libglib2.0-0 mesa-vulkan-drivers \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /src
COPY . .
RUN pip install --no-cache-dir -c constraints/py311.txt '.[sim]' anyio tqdm 'imageio[ffmpeg]' \
        --extra-index-url https://download.pytorch.org/whl/cpu \
    && pip install --no-cache-dir --no-deps -r constraints/vla_eval.txt

WORKDIR /work
ENV NVIDIA_DRIVER_CAPABILITIES=all
ENTRYPOINT ["vla-eval"]
