"""Adds prices up: FastAPI, on wheels that hold compiled modules (pydantic-core, uvloop, httptools)."""

import os

import pydantic_core
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Basket(BaseModel):
    prices: list[float]


@app.post("/sum")
def add_up(basket: Basket) -> dict[str, float]:
    return {"sum": sum(basket.prices)}


@app.get("/health")
def health() -> dict[str, str]:
    return {"compiled": pydantic_core._pydantic_core.__file__}


@app.get("/version")
def version() -> dict[str, str]:
    return {"version": os.environ.get("APPLICATION_VERSION", "")}
