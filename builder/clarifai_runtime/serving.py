"""`execute()`: requests are grouped, called together, checked, and answered one by one."""

from __future__ import annotations

from typing import Any, Dict, Hashable, List, NamedTuple, Sequence, Tuple

from .answering import Batch, Responder
from .calling import Group, Job, call
from .decoding import Decoder
from .encoding import Encoder
from .errors import CancelledError, ModelFailedError, RequestError
from .loading import Predict
from .parameters import Call, Parameters


class Server(NamedTuple):
    """Serves one loaded model."""

    predict: Predict
    decode: Decoder
    encoder: Encoder
    parameters: Parameters
    responder: Responder
    isolate: bool = True

    def execute(self, requests: Sequence[Any]) -> List[Any]:
        """Return one response for each request; None where it has been sent ahead."""
        batch = Batch(requests, self.responder)
        try:
            self._answer(batch)
        except BaseException as error:  # noqa: BLE001 - nothing may keep a request from its answer
            self.responder.log(error)
            batch.fail(error)
        return batch.responses

    def _answer(self, batch: Batch) -> None:
        pending = self._group(batch)
        while pending:
            group = self._without_cancelled(pending.pop(), batch)
            if not group.jobs:
                continue
            try:
                outputs = call(self.predict, group)
            except RequestError as error:
                if self.isolate and len(group.jobs) > 1:
                    pending.extend(reversed(group.halves()))
                else:
                    self._log(error)
                    batch.answer(group.jobs, [error] * len(group.jobs))
            else:
                sizes = [len(job.items) for job in group.jobs]
                batch.answer(group.jobs, self.encoder.encode(outputs, sizes))

    def _group(self, batch: Batch) -> List[Group]:
        """Group the requests, the first to be called last; answer those that can't be read."""
        calls: Dict[str, Call] = {}
        groups: Dict[Tuple[str, Hashable], Group] = {}
        for index, request in enumerate(batch.requests):
            try:
                text = request.parameters()
                params = calls.get(text) or calls.setdefault(text, self.parameters.resolve(text))
                items = self.decode(request)
            except RequestError as error:
                batch.answer([Job(index, [])], [error])
                continue
            key = (params.key, items.shape)
            if key not in groups:
                groups[key] = Group([], params.values)
            groups[key].jobs.append(Job(index, items.values))
        return list(groups.values())[::-1]

    def _without_cancelled(self, group: Group, batch: Batch) -> Group:
        cancelled = batch.cancelled(group.jobs)
        if not cancelled:
            return group
        batch.answer(cancelled, [CancelledError("the request was cancelled")] * len(cancelled))
        return group._replace(jobs=[job for job in group.jobs if job not in cancelled])

    def _log(self, error: RequestError) -> None:
        if isinstance(error, ModelFailedError):
            self.responder.log(error)
