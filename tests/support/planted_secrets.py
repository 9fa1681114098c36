"""Files as people leave them in repositories: with secrets (none was ever valid), and without."""

from __future__ import annotations

import base64
import json

from support.token_samples import BODY, HEX, KEY, SAMPLES

AWS = SAMPLES["an AWS access key"][0]
AWS_SECRET = "wJ4rXUt7/K7MDENG+bPx" * 2
HF, GITHUB, JWT = "hf_" + "aB" * 17, "ghp_" + BODY[:36], SAMPLES["a JSON web token"][0]
OPENAI = "sk-" + "proj-" + "aB3_-" * 20
KEY_IN_BASE64 = base64.b64encode(KEY.encode()).decode()
ACCOUNT = {"type": "service_account", "private_key": KEY, "client_email": "a@b.example.com"}


def notebook(source: str, output: str = "") -> str:
    """Return a notebook of one cell."""
    cell = {"cell_type": "code", "source": source.splitlines(keepends=True)}
    return json.dumps(
        {"nbformat": 4, "cells": [{**cell, "outputs": [{"text": [output]}]}]}, indent=1
    )


BY_CONTENT: dict[str, str | bytes] = {
    "config.py": f'import os\nos.environ["CLARIFAI_PAT"] = "{HEX}"\n',
    "setdefault.py": f"os.environ.setdefault('CLARIFAI_PAT', '{HEX}')\n",
    "typed.py": f'CLARIFAI_PAT: str = "{HEX}"\n',
    "wrapped.py": f'os.environ["CLARIFAI_PAT"] = (\n    "{HEX}"\n)\n',
    "keyword.py": f'model = Model(url="https://clarifai.com/a/b/models/c", pat="{HEX}")\n',
    "header.py": f'headers = {{"Authorization": "Key {HEX}"}}\n',
    "fallback.py": f'pat = os.environ.get("CLARIFAI_PAT") or "{HEX}"\n',
    "run.sh": f"#!/bin/sh\nexport CLARIFAI_PAT={HEX}\nexec python serve.py\n",
    "run.ps1": f'$env:CLARIFAI_PAT = "{HEX}"\n'.encode("utf-16"),
    "run.bat": f"set CLARIFAI_PAT={HEX}\r\n",
    "settings.yaml": f"clarifai:\n  pat: {HEX}\n",
    "deployment.yaml": f"env:\n  - name: CLARIFAI_PAT\n    value: {HEX}\n",
    "settings.json": json.dumps({"CLARIFAI_PAT": HEX}),
    "settings.ini": f"[clarifai]\nclarifai_pat = {HEX}\n",
    "settings.toml": f'[clarifai]\npat = "{HEX}"\n',
    "settings.xml": f'<add key="CLARIFAI_PAT" value="{HEX}"/>\n',
    "Dockerfile": f"FROM python:3.11\nENV CLARIFAI_PAT {HEX}\n",
    "Dockerfile.arg": f"ARG HF_TOKEN={HF}\n",
    "compose.yaml": f"services:\n  a:\n    environment:\n      - CLARIFAI_PAT={HEX}\n",
    "explore.ipynb": notebook(f'import os\nos.environ["CLARIFAI_PAT"] = "{HEX}"\n'),
    "printed.ipynb": notebook("print(token)", f"token:\n{HF}\n"),
    "login.ipynb": notebook(f"!huggingface-cli login --token {HF}\n"),
    "escaped.json": json.dumps({"url": f"https://a/?t={GITHUB}"}).replace("=", "\\u003d"),
    "download.py": f'login(token="{HF}")\n',
    "clone.sh": f"git clone https://{GITHUB}@github.com/a/b.git\n",
    "fine_grained.txt": "github_" + "pat_" + BODY[:22] + "_" + BODY[:59] + "\n",
    "ci.yml": "token: glpat-" + BODY[:20] + "\n",
    "notify.py": 'slack = WebClient("xoxb-' + "123456789012-1234567890123-" + BODY[:24] + '")\n',
    "webhook.py": f'URL = "{SAMPLES["a webhook"][0]}"\n',
    "maps.js": 'const key = "AIza' + "a1" * 17 + 'b";\n',
    "openai.py": f'client = OpenAI(api_key="{OPENAI}")\n',
    "openai_old.py": f'openai.api_key = "{SAMPLES["an OpenAI key"][0]}"\n',
    "anthropic.py": f'Anthropic(api_key="{SAMPLES["an Anthropic key"][0]}")\n',
    "groq.py": f'Groq(api_key="gsk_{BODY[:52]}")\n',
    "wandb.py": f'os.environ["WANDB_API_KEY"] = "{HEX}0f1e2d3c"\n',
    "publish.sh": "twine upload -p pypi-" + "AgEIcHlwaS5vcmc" + "aB3_-" * 24 + "\n",
    "npm.sh": "npm config set //npm.example.org/:_authToken=npm_" + BODY[:36] + "\n",
    "docker.sh": "docker login -p dckr_" + "pat_" + "aB3_-" * 6 + "\n",
    "auths.json": json.dumps(
        {"auths": {"a": {"auth": base64.b64encode(b"a:hunter2" * 2).decode()}}}
    ),
    "s3.py": f's3 = boto3.client("s3", aws_access_key_id="{AWS}")\n',
    "s3_session.py": f'KEY = "{SAMPLES["an AWS access key"][1]}"\n',
    "s3_secret.py": f'session = Session(aws_secret_access_key="{AWS_SECRET}")\n',
    "aws.sh": f"export AWS_SECRET_ACCESS_KEY={AWS_SECRET}\n",
    "account.json": json.dumps(ACCOUNT),
    "account.utf16.json": json.dumps(ACCOUNT).encode("utf-16"),
    "inline.py": f'KEY = """{KEY}"""\n',
    "deploy": KEY.replace("PRIVATE", "OPENSSH PRIVATE"),
    "server.pem": f"-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n{KEY}\n",
    "cluster.yaml": f"users:\n- user: {{client-key-data: {KEY_IN_BASE64}}}\n",
    "cluster_token.yaml": f"users:\n- user: {{token: {JWT}}}\n",
    "azure.py": f'connect("{SAMPLES["an Azure key"][0]}")\n',
    "azure_bus.cfg": f"bus = {SAMPLES['an Azure key'][1]}\n",
    "azure_sas.py": f'URL = "{SAMPLES["an Azure key"][2]}"\n',
    "stripe.rb": 'Stripe.api_key = "sk_' + "live_" + BODY[:24] + '"\n',
    "database.py": 'URL = "postgresql://app:' + 'hunter2@db.example.com/models"\n',
    "redis.cfg": "broker = redis://:" + "hunter2@cache.example.com:6379/0\n",
    "pip.conf": "[global]\nindex-url = https://deploy:" + "s3cr3t@pypi.example.com/simple\n",
    "modules.txt": "url = https://oauth2:" + "s3cr3t@gitlab.example.com/a.git\n",
    "Dockerfile.pip": "RUN pip install -i https://deploy:" + "s3cr3t@host/simple x\n",
    "write_netrc.sh": "echo machine a.example.com login deploy password " + "s3cr3t > ~/.netrc\n",
    "vault.hcl": 'token = "hvs.' + "aB3_-" * 18 + '"\n',
    "mongo.js": 'connect("mongodb+srv://app:' + 'p4ssw0rd@cluster0.example.com/")\n',
    "flask.py": 'SECRET_KEY = "' + "k2l0vb7p3x8n5q1w6t4z" + '"\n',
    "presigned.txt": SAMPLES["a signed address"][0] + "\n",
}
"""Secrets that show when a file is read."""

BY_NAME = (
    *("prod.env.bak", "api.env.staging", ".Renviron"),
    *("env.prod", ".netrc.bak", "id_rsa.old", ".aws_credentials", ".modal.toml"),
    *("prod.env", "staging.env", "config/app.env", "kubeconfig", "kubeconfig.yaml", "a.kubeconfig"),
    *(
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "terraform.tfstate.1699.backup",
        "prod.tfvars",
        "prod.auto.tfvars",
        "a.tfvars.json",
    ),
    *("id_rsa", "id_ed25519", "id_ecdsa", "id_dsa", "keys/id_ed25519_sk", "old/ID_RSA"),
    *("server.key", "tls-key.pem", "private_key.pem", "privkey.pem", "a.p12", "a.pfx", "a.jks"),
    *("a.keystore", "passwords.kdbx", "a.ppk", "AuthKey_1.p8", "client.ovpn", ".htpasswd"),
    *("credentials.json", "credentials", "gcp-credentials.json", "client_secret_1.apps.json"),
    *(
        "service-account.json",
        "service_account_prod.json",
        "my-service-account.json",
        "kaggle.json",
    ),
    *("application_default_credentials.json", "me_accessKeys.csv", "rootkey.csv"),
    *(".dockercfg", ".dockerconfigjson", ".pgpass", ".my.cnf", ".s3cfg", ".boto", "rclone.conf"),
    *("secrets.toml", ".streamlit/secrets.toml", "secrets.yaml", "secrets.yml", "secrets.json"),
    *(".databrickscfg", ".vault-token", ".terraformrc", ".bash_history", ".passwd-s3fs"),
)
"""Secrets by the names of their files."""

LEFT_OUT = (
    *(".env", ".env.local", ".env.production", ".envrc", ".netrc", "_netrc", ".pypirc", ".npmrc"),
    *(".aws/credentials", ".ssh/id_rsa", ".docker/config.json", ".kube/config", ".git-credentials"),
)
"""What stays out by itself."""

PUBLIC = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEF\n-----END PUBLIC KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\n" + "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0B\n" * 20
README = f"""# A model

    export CLARIFAI_PAT=<your personal access token>
    export CLARIFAI_PAT=your_personal_access_token_goes_here
    export HF_TOKEN=hf_{"x" * 34}
    export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7{"EXAMPLE"}
    export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY{"EXAMPLEKEY"}
    pip install --extra-index-url https://user:password@host/simple x
    pip install --extra-index-url https://${{USER}}:${{TOKEN}}@host/simple x
    OPENAI_API_KEY=sk-your-api-key-goes-here-please

SHA-256 of the weights: {HEX}{HEX}, MD5: {HEX}. See https://example.com/@me/a:b.
"""
INNOCENT: dict[str, str | bytes] = {
    "README.md": README,
    "serve.py": 'PAT = os.environ["CLARIFAI_PAT"]\nmodel = Model(url=URL, pat=PAT)\nmd5 = "'
    + HEX
    + '"\n',
    "download.py": 'hf_hub_download("a/b", token=os.environ.get("HF_TOKEN"), revision="'
    + HEX
    + '01234567")\n',
    "login.py": 'password = getpass.getpass()\nrequests.get(f"https://{user}:{password}@host/")\n',
    "urls.py": "PATTERN = re.compile(r'(https?)://([^:/]+):([^@]+)@(.+)')\n",
    "vocab.txt": "\n".join(
        ["[PAD]", "password", "secret", "token", "api_key", "##ghp_", "AKIA", "hf_"]
    ),
    "tokenizer.json": json.dumps(
        {"vocab": {f"password{i}": i for i in range(500)}, "pad_token": "[PAD]"}
    ),
    "tokenizer_config.json": json.dumps(
        {"eos_token": "</s>", "additional_special_tokens_of_v2": ["<1>"]}
    ),
    "merges.txt": "s e\nc r\nse cr\nsecr et\n",
    "special_tokens_map.json": json.dumps({"unk_token": {"content": "<unk>", "lstrip": False}}),
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"a.secret_key.weight_0123456789": "x"}}
    ),
    "ca.pem": CERTIFICATE + "-----END CERTIFICATE-----\n",
    "signing.pub.pem": PUBLIC,
    "id_rsa.pub": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 me@host\n",
    "known_hosts": "a.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6\n",
    "kubeconfig.py": "def load():\n    pass\n",
    "model.yaml.backup": "version: 1\n",
    "pem.py": '_START = b"-----BEGIN OPENSSH PRIVATE KEY-----"\nif text in (_START, b"x"): pass\n',
    "RECORD": "a.pyi,sha256=glc_FZMyib4OhW7RQ42vav9er5-jeLUo8K4wfDaFsu8,1208\n",
    "policy.json": '{"Action": ["a:GetAccessToken", "route53globalresolver:GetDNSView"]}',
    "run.sh": "docker run -u 1000:1000 -u $(id -u):$(id -g) --user app:application image\n",
    "curl.md": "curl -u username:password -H 'Authorization: Basic dXNlcjpwYXNzd29yZA==' URL\n"
    "curl -H 'Authorization: Bearer <token>' -H \"Authorization: Bearer $TOKEN_OF_USER_12\" URL\n",
    "auth.py": 'headers = {"Authorization": f"Bearer {tokens_by_user[12]}"}\n',
    "train.py": "forward_pass = Conv2dBlock(64)\nlow_pass=FilterV2x9Q\n",
    "remote.txt": "git+ssh://git@gitlab.example.com:group@v1\n",
    "example.env": "CLARIFAI_PAT=\nHF_TOKEN=\n",
    "explore.ipynb": notebook(
        'import os\npat = os.environ["CLARIFAI_PAT"]\n', "<class 'sk-toggleable__label'>"
    ),
    "image.ipynb": json.dumps({"image/png": base64.b64encode(bytes(range(256)) * 40).decode()}),
    "requirements.txt": f"numpy==1.26.4 --hash=sha256:{HEX}{HEX}\nx @ git+ssh://git@host/a.git\n",
    "pip.conf": "[global]\nindex-url = https://${PIP_USER}:${PIP_PASSWORD}@host/simple\n",
    "compose.yaml": "DB: postgres://postgres:postgres@localhost:5432/a\nPASSWORD: ${PASSWORD}\n",
    "Dockerfile": "ARG CLARIFAI_PAT\nENV HF_TOKEN=$HF_TOKEN\nRUN --mount=type=secret,id=pat true\n",
    "test_auth.py": 'login("user", "password123")\napi_key = "test-key-0123456789-abc"\n',
    "secrets.py": "import secrets\n\nSECRET_BYTES = secrets.token_bytes(32)\n",
    "credentials.py": "class CredentialsProviderOfVersion2:\n    secret_key = None\n",
    "secrets.tf": 'aws_secret_arn = "arn:aws:secretsmanager:eu-west-1:1112:secret:prod/db-a"\n'
    f'secret_name = "prod/path/of/forty/characters/in/Lower01"\nsecret_hash: {HEX}01234567\n',
    "keys.csv": "key,value\nsecret,1\n",
    "labels.txt": "private key\npassword\ncat\n",
    "page.html": '<script src="https://cdn.example.com/npm/@scope/a@1.2.3/b.js"></script>\n',
    "weights.bin": bytes(range(256)) * 400,
    "utf16.txt": "Bonjour, monde: é\n".encode("utf-16"),
}
"""Files that have nothing secret in them."""


def as_bytes(files: dict[str, str | bytes]) -> dict[str, bytes]:
    """Return the contents as they lie on a disk."""
    return {
        path: content if isinstance(content, bytes) else content.encode()
        for path, content in files.items()
    }
