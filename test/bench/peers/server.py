"""An algorithm behind the protocol of the Kubernetes Topology Autoscaler: FastAPI on uvicorn, as its Python SDK sets them up.

What the SDK does with a request is done here in the same order: plain functions, which the server runs in its thread pool;
the request read into a model, unfolded and read into a second one, the context; the algorithm's own state copied and compared;
the answer encoded by the framework. What was measured travels in the request, as the SDK's algorithms would fetch it.
"""

import copy
import json
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, ConfigDict, Field
from rates import total, wanted
from starlette.responses import JSONResponse


class Node(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    fields: str

    def name(self) -> str:
        return dict(field.split("=", 1) for field in self.fields.split("|"))["name"]


class Request(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    udfStartTimestampMillis: int
    topology: list[Node] = Field(min_length=1)
    monitorResult: dict[str, Any]
    analyzeResult: dict[str, Any]
    resultHistory: list[dict[str, Any]]
    sources: dict[str, Any]


class Context(Request):
    pass


class Algorithm:
    def monitor(self, context: Context) -> dict[str, Any]:
        return {"total": total(context.sources)}

    def analyze(self, context: Context) -> dict[str, Any]:
        return {"total": total(context.sources)}

    def plan(self, context: Context) -> dict[str, Any]:
        numbers = wanted(context.sources, [node.name() for node in context.topology])
        return {json.dumps(node.model_dump()): {"parallelism": numbers[node.name()]} for node in context.topology}


app = FastAPI()
algorithm = Algorithm()


def run(step: str, request: Request) -> JSONResponse:
    before = copy.deepcopy(algorithm.__dict__)
    answer = getattr(algorithm, step)(Context(**request.model_dump()))
    if algorithm.__dict__ != before:
        raise RuntimeError("the algorithm keeps state")
    return JSONResponse(jsonable_encoder(answer))


@app.post("/api/v1alpha1/monitor")
def monitor(request: Request) -> JSONResponse:
    return run("monitor", request)


@app.post("/api/v1alpha1/analyze")
def analyze(request: Request) -> JSONResponse:
    return run("analyze", request)


@app.post("/api/v1alpha1/plan")
def plan(request: Request) -> JSONResponse:
    return run("plan", request)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None)
