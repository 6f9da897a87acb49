"""Logins, passwords, and other credentials for the same address."""

from api.logins import (
    AddressLogin,
    CredentialLogin,
    LoggedIn,
    PasswordChange,
    PasswordLogin,
    Rotated,
)
from api.success import Success as Done
from tools.openapi.operation import Body, Operation, Success
from tools.openapi.samples import ADDRESS, JWT, PASSWORD_DIGEST

_GOOD = Success(description="It is good.", type=Done, examples={"good": Done(success=True)})
_PASSWORD = {"password": {"password": PASSWORD_DIGEST}}

OPERATIONS = (
    Operation(
        method="POST",
        path="/api/address_login",
        id="logIn",
        tag="Addresses",
        summary="Log in with a password",
        description="Gives out a credential of the address, where the deployment has passwords. "
        "After ten failures within fifteen minutes an address has to wait.",
        body=Body(
            type=AddressLogin,
            examples={"login": {"email": ADDRESS, "password": PASSWORD_DIGEST}},
        ),
        answers=(
            Success(
                description="The password is right.",
                type=LoggedIn,
                examples={"credential": LoggedIn(jwt=JWT, address=ADDRESS)},
            ),
        ),
        refusals=(
            *("client_rate_exceeded", "password_login_disabled", "required_field_missing"),
            *("human_verification_failed", "human_verification_unavailable"),
            *("invalid_login", "too_many_logins"),
        ),
    ),
    Operation(
        method="POST",
        path="/api/address_change_password",
        id="changePassword",
        tag="Addresses",
        summary="Change the password",
        description="Gives the address of the credential another password. Its credentials stay "
        "good.",
        body=Body(
            type=PasswordChange,
            examples={"password": {"new_password": PASSWORD_DIGEST}},
        ),
        answers=(
            Success(
                description="It is changed.", type=Done, examples={"changed": Done(success=True)}
            ),
        ),
        refusals=("password_change_disabled", "required_field_missing", "password_not_digested"),
    ),
    Operation(
        method="POST",
        path="/api/rotate_credential",
        id="rotateCredential",
        tag="Addresses",
        summary="Replace the credential",
        description="Gives out a new credential of the address. All older ones are refused from "
        "then on, this one included.",
        answers=(
            Success(
                description="The older credentials are dead.",
                type=Rotated,
                examples={"credential": Rotated(jwt=JWT)},
            ),
        ),
    ),
    Operation(
        method="POST",
        path="/open_api/credential_login",
        id="checkCredential",
        tag="Addresses",
        summary="Ask whether a credential is good",
        description="Whether an address JWT is one of this deployment, and its address still "
        "there.",
        body=Body(type=CredentialLogin, examples={"credential": {"credential": JWT}}),
        answers=(_GOOD,),
        refusals=("client_rate_exceeded", "invalid_credential"),
    ),
    Operation(
        method="POST",
        path="/open_api/site_login",
        id="checkSitePassword",
        tag="Deployment",
        summary="Ask whether a site password is good",
        description="Whether it is one that `x-custom-auth` takes. Where there is none, any is.",
        body=Body(type=PasswordLogin, examples=_PASSWORD),
        answers=(_GOOD,),
        refusals=("client_rate_exceeded", "site_password_required"),
        asks_database=False,
    ),
    Operation(
        method="POST",
        path="/open_api/admin_login",
        id="checkAdminPassword",
        tag="Deployment",
        summary="Ask whether an admin password is good",
        description="Whether it is one that `x-admin-auth` takes.",
        body=Body(type=PasswordLogin, examples=_PASSWORD),
        answers=(_GOOD,),
        refusals=("client_rate_exceeded", "admin_password_required"),
        asks_database=False,
    ),
)
