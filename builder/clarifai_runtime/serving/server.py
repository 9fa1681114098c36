"""`execute()`: requests are grouped, called together, checked, and answered one by one."""

from __future__ import annotations

from typing import Any, Dict, Hashable, List, NamedTuple, Sequence, Tuple

from ..calling import Group, call
from ..errors import CancelledError, InvalidInputError, ModelFailedError, RequestError
from ..loading import Predict
from ..parameters import Parameters
from .answering import Batch, Responder
from .decoding import Decoder
from .encoding import Encoder


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
            if not group.places:
                continue
            try:
                outputs = call(self.predict, group)
            except RequestError as error:
                pending.extend(self._after_failure(group, error, batch))
            else:
                batch.answer(group.places, self.encoder.encode(outputs, group.sizes))

    def _group(self, batch: Batch) -> List[Group]:
        """Group the requests, the first to be called last; answer those that can't be read."""
        groups: Dict[Tuple[str, Hashable], Group] = {}
        seen: Dict[Tuple[str, Hashable], Group] = {}
        decode = self.decode
        for place, request in enumerate(batch.requests):
            try:
                text = request.parameters()
                items, shape = decode(request)
                if not items:
                    raise InvalidInputError("the request is empty")
                group = seen.get((text, shape))
                if group is None:
                    key, values = self.parameters.resolve(text)
                    group = groups.setdefault((key, shape), Group([], [], [], values))
                    seen[text, shape] = group
            except RequestError as error:
                batch.answer([place], [error])
                continue
            except Exception as error:  # noqa: BLE001 - what a client sends can raise anything
                unread = InvalidInputError(f"can't be read: {type(error).__name__}: {error}")
                batch.answer([place], [unread])
                continue
            places, sizes, members, _ = group
            places.append(place)
            sizes.append(len(items))
            members += items
        return list(groups.values())[::-1]

    def _after_failure(self, group: Group, error: RequestError, batch: Batch) -> Sequence[Group]:
        """Return the halves of a group that failed; a request that is alone is the guilty one."""
        count = len(group.places)
        if self.isolate and count > 1:
            return group.part(range(count // 2, count)), group.part(range(count // 2))
        if isinstance(error, ModelFailedError):
            self.responder.log(error)
        batch.answer(group.places, [error] * count)
        return ()

    def _without_cancelled(self, group: Group, batch: Batch) -> Group:
        """Answer the requests nobody waits for any more, and return the others."""
        cancelled = batch.cancelled(group.places)
        if not cancelled:
            return group
        batch.answer(cancelled, [CancelledError("the request was cancelled")] * len(cancelled))
        left = [n for n, place in enumerate(group.places) if place not in cancelled]
        return group.part(left)
