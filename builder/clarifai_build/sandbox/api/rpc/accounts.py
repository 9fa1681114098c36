"""The user and their apps."""

from __future__ import annotations

from typing import Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from clarifai_build.sandbox.api.database import Database, now
from clarifai_build.sandbox.api.errors import ApiError, Code
from clarifai_build.sandbox.api.ids import is_valid_id
from clarifai_build.sandbox.api.paging import page_of


class Accounts:
    """Handlers of the RPCs about users and apps."""

    def __init__(self, database: Database, user_id: str) -> None:
        self._database = database
        self.user_id = user_id

    def create_app(self, app_id: str, description: str = "") -> resources_pb2.App:
        """Return the app of this id, made if it is not there."""
        known = self._database.app(app_id)
        if known is not None:
            return known
        stamp = now()
        app = resources_pb2.App(
            id=app_id,
            name=app_id,
            user_id=self.user_id,
            description=description,
            created_at=stamp,
            modified_at=stamp,
            visibility=resources_pb2.Visibility(gettable=resources_pb2.Visibility.PRIVATE),
        )
        self._database.put_app(app)
        return app

    def app(self, app_id: str) -> resources_pb2.App:
        app = self._database.app(app_id)
        if app is None:
            raise ApiError(
                Code.CONN_DOES_NOT_EXIST,
                f"app '{app_id}' does not exist, or the token has no access to it",
            )
        return app

    def get_user(self, _request: Any) -> Any:
        user = resources_pb2.User(id=self.user_id, first_name="Sandbox", last_name="User")
        return service_pb2.SingleUserResponse(user=user)

    def get_app(self, request: Any) -> Any:
        return service_pb2.SingleAppResponse(app=self.app(request.user_app_id.app_id))

    def list_apps(self, request: Any) -> Any:
        return service_pb2.MultiAppResponse(apps=page_of(self._database.apps(), request))

    def post_apps(self, request: Any) -> Any:
        with self._database.transaction():
            made = [self._post(app) for app in request.apps]
        return service_pb2.MultiAppResponse(apps=made)

    def patch_apps(self, request: Any) -> Any:
        patched = [self._patch(app) for app in request.apps]
        return service_pb2.MultiAppResponse(apps=patched)

    def patch_app(self, request: Any) -> Any:
        return service_pb2.SingleAppResponse(app=self._patch(request.app))

    def _post(self, wanted: resources_pb2.App) -> resources_pb2.App:
        if not is_valid_id(wanted.id):
            raise ApiError(Code.CONN_INVALID_REQUEST, f"'{wanted.id}' is not a valid app id")
        if self._database.app(wanted.id) is not None:
            raise ApiError(Code.CONN_INVALID_REQUEST, f"app '{wanted.id}' exists already")
        app = self.create_app(wanted.id, wanted.description)
        return self._patch(wanted) if wanted.ByteSize() else app

    def _patch(self, wanted: resources_pb2.App) -> resources_pb2.App:
        app = self.app(wanted.id)
        app.MergeFrom(wanted)
        # A sandbox has one user, whatever the request says.
        app.user_id = self.user_id
        app.modified_at.CopyFrom(now())
        self._database.put_app(app)
        return app
