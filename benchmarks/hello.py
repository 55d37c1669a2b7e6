"""The smallest Flask app: what gunicorn and Flask cost by themselves."""

from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def hello() -> str:
    return "hello"
