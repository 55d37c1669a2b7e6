# The shop as an image: web, worker and commands are the same image with another command.
#
#     docker build -t storefront .
#
# Python 3.11 is what the tests run on; its patch releases come with each build. Everything above it
# is pinned in requirements.txt.
FROM python:3.11-slim-bookworm AS packages

COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
        -r /tmp/requirements.txt

FROM python:3.11-slim-bookworm

# A user of its own, who can write nothing but what STOREFRONT_INSTANCE names.
RUN useradd --system --uid 10001 --no-create-home --home-dir /shop shop \
    && install -d -o shop -m 0700 /data

COPY --from=packages /venv /venv
WORKDIR /shop
COPY catalog.toml gunicorn.conf.py wsgi.py ./
COPY bin/healthy bin/healthy
COPY migrations migrations
COPY static static
COPY templates templates
COPY storefront storefront
RUN python -m compileall -q storefront migrations

# Settings that hold in every container; keys and secrets come from outside.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FLASK_APP=wsgi \
    STOREFRONT_ENV=production \
    STOREFRONT_INSTANCE=/data \
    PORT=8000 \
    BIND=0.0.0.0:8000

USER shop
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "bin/healthy"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "wsgi:app"]
