"""Made-up tokens in the forms that people write: samples of the table in `util.tokens`.

They are put together here, so that scanners of this repository find none. None was ever valid.
"""

from __future__ import annotations

import base64

HEX = "0f1e2d3c" * 4
_MIXED = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zC"
BODY = _MIXED * 4


def _pem(kind: str) -> str:
    return "-----BEGIN " + f"{kind}-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\\n-----END {kind}-----"


KEY = _pem("PRIVATE " + "KEY").replace("\\n", "\n")

SAMPLES: dict[str, list[str]] = {
    "a private key": [
        KEY,
        *(_pem(f"{kind}PRIVATE " + "KEY") for kind in ("RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")),
        "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----",
        "---- BEGIN SSH2 ENCRYPTED " + "PRIVATE KEY ----\nComment: a\nP2/56wAAAi4AAAA3\n---- END",
    ],
    "a private key of PuTTY": ["PuTTY-User-Key-" + "File-3: ssh-ed25519"],
    "a private key of age": [
        "AGE-SECRET-" + "KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
    ],
    "a private key in base64": ["client-key-data: " + base64.b64encode(KEY.encode()).decode()],
    "an AWS access key": [f"{kind}ABCDEFGHIJKLMNOP" for kind in ("AKIA", "ASIA")],
    "an AWS secret key": [
        f"{name}{'wJ4rXUt7/K7MDENG+bPx' * 2}"
        for name in (
            "aws_secret_access_key = ",
            "export AWS_SECRET_ACCESS_KEY=",
            'os.environ["AWS_SECRET_ACCESS_KEY"] = "',
            '"SecretAccessKey": "',
            "secretAccessKey: '",
            'boto3.client("s3", aws_secret_access_key="',
            'AWS_SECRET = "',
            'aws_secret: "',
            '"AwsSecretKey": "',
            "AWS_ACCESS_KEY_SECRET=",
            "AWS_SECRET_ACCESS_KEY_PROD=",
            "s3_secret = '",
            "fs.s3a.secret.key ",
            '"aws": {"secret": "',
            "Secret Access Key: ",
            "<SecretAccessKey>",
        )
    ],
    "an AWS session token": [
        f"{name}{start}{BODY}"
        for name in ("aws_session_token = ", "export AWS_SESSION_TOKEN=")
        for start in ("IQoJb3Jp" + "Z2luX2Vj", "FwoGZXIv" + "YXdzE")
    ],
    "a GitHub token": [
        *(f"gh{kind}_" + BODY[:36] for kind in "pousr"),
        "github_" + "pat_" + BODY[:22] + "_" + BODY[:59],
    ],
    "a GitLab token": ["glpat-" + BODY[:20], "glpat-" + "a-_1" * 6, "glrt-" + BODY[:20]],
    "a Hugging Face token": ["hf_" + "aB" * 17, "api_" + "org_" + "aB" * 17],
    "a Slack token": [
        *(f"xox{kind}-" + "123456789012-1234567890123-" + BODY[:24] for kind in "abeoprs"),
        "xoxe.xoxp-1-" + BODY[:40],
        "xapp-" + "1-A012B3C4D5E-" + BODY[:40],
    ],
    "a webhook": [
        "https://hooks.slack.com/" + f"services/T{BODY[:8]}/B{BODY[:8]}/{BODY[:24]}",
        "https://discord.com/api/" + f"webhooks/{'1234567890' * 2}/{BODY[:68]}",
    ],
    "a Google API key": ["AIza" + "a1" * 17 + "b", "AIza" + "-_a1Z" * 7],
    "a Google OAuth secret": ["GOCSPX-" + "a1-_" * 7, "ya29." + "a0-_" * 20],
    "an OpenAI key": [
        "sk-" + BODY[:20] + "T3BlbkFJ" + BODY[:20],
        *(f"sk-{kind}-" + "aB3_-" * 20 for kind in ("proj", "svcacct", "admin")),
    ],
    "an Anthropic key": ["sk-ant-" + f"{kind}-" + "aB3_-" * 19 for kind in ("api03", "oat01")],
    "a key of a service for models": [
        "sk-or-" + "v1-" + "0f1e2d3c" * 8,
        "sk-lf-" + "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "nvapi-" + "aB3" * 8 + "-" + "cD5_" * 12,
        "lsv2_" + f"pt_{HEX}_{HEX[:10]}",
        "pcsk_" + BODY[:6] + "_" + BODY[:63],
    ],
    "a key of an AI service": [
        prefix + BODY[:48] for prefix in ("r8_", "gsk_", "xai-", "pplx-", "tvly-", "jina_")
    ],
    "an npm token": ["npm_" + BODY[:36]],
    "a registry's password": [
        "//registry.example.com/:_authToken=" + "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        "//registry.example.com/:_password=" + "aHVudGVyMmh1bnRlcjJodW50ZXIy",
        "_auth = " + "ZGVwbG95Omh1bnRlcjJodW50ZXIy",
    ],
    "a PyPI token": ["pypi-" + "AgEIcHlwaS5vcmc" + "aB3_-" * 24],
    "a Docker Hub token": ["dckr_" + "pat_" + "aB3_-" * 6],
    "a registry's login": [
        '{"auths": {"registry.example.com": {"auth": "' + "ZGVwbG95Omh1bnRlcjI=" + '"}}}',
        f'{{"auths": {{"registry.example.com": {{"identitytoken": "{BODY[:80]}"}}}}}}',
    ],
    "a JSON web token": [
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ" + ".eyJpc3MiOiJrdWJlcm5ldGVzIn0." + BODY[:86],
    ],
    "an Azure key": [
        "DefaultEndpointsProtocol=https;AccountName=a;Account" + f"Key={BODY[:86]}==",
        "Endpoint=sb://a.servicebus.windows.net/;SharedAccess" + f"Key={BODY[:43]}=",
        "https://a.blob.core.windows.net/c?sv=2024-01-01&" + f"sig={BODY[:43]}%3D",
        "AZURE_CLIENT_SECRET=" + f"aB3{'8Q~'}" + "aB3_~.-cD5e" * 3,
    ],
    "a Google storage key": ["GOOG1E" + "ABCDEFGHIJ" * 5 + "ABCDE"],
    "a Google refresh token": ["1//0" + BODY[:60]],
    "a Neptune token": [
        base64.b64encode(f'{{"api_{kind}":"https://a.example.com","k":"{HEX}"}}'.encode()).decode()
        for kind in ("address", "url")
    ],
    "a private key in JSON": [
        '{"kty":"RSA","n":"abc","e":"AQAB","d":"' + BODY[:86] + '"}',
    ],
    "a private key of WireGuard": [
        "Private" + "Key = " + base64.b64encode(bytes(range(32))).decode(),
    ],
    "a login on a command line": [
        "curl -u deploy:" + "s3cr3tPa55 https://a.example.com/x",
        "curl --user 'me@a.example.com:" + "s3cr3tPa55' https://a.example.com/x",
        "sshpass -p " + "s3cr3tPa55 ssh host",
        "docker login -u deploy -p " + "s3cr3tPa55 registry.example.com",
    ],
    "a header with a login": [
        f"Authorization: Bearer {BODY[:40]}",
        f'headers = {{"Authorization": "Bearer {HEX}"}}',
        f"curl -H 'authorization: token {HEX}0f1e2d3c' https://a.example.com",
        "extraheader = AUTHORIZATION: basic " + base64.b64encode(b"me:hunter2hunter2").decode(),
    ],
    "a Clarifai token in base64": [
        "data: {CLARIFAI_PAT: " + base64.b64encode(HEX.encode()).decode() + "}",
    ],
    "a key of Azure's storage": [
        f"AZURE_STORAGE_KEY={BODY[:86]}==",
        f'account_key="{BODY[:86]}=="',
    ],
    "a Stripe key": [f"{kind}_live_" + BODY[:24] for kind in ("sk", "rk")] + ["whsec_" + BODY[:32]],
    "a SendGrid key": ["SG." + "aB3_-cD5eF7gH9iJ1kL3mN" + "." + "aB3_-" * 8 + "cD5"],
    "a Databricks token": ["dapi" + HEX, "dapi" + HEX + "-2"],
    "a DigitalOcean token": ["dop_" + "v1_" + HEX * 2],
    "a Telegram token": ["123456789:" + "AA" + "a-_1Z" * 6 + "abc"],
    "a token of a web service": [
        "hvs." + "aB3_-" * 18,
        "glsa_" + BODY[:32] + "_0f1e2d3c",
        "shpat_" + HEX,
        "tskey-" + "auth-kAb3CdEf5CNTRL-" + BODY[:32],
        "PMAK-" + HEX[:24] + "-" + HEX + "0f",
        "aB3dE5gH7jK9mN." + "atlasv1." + BODY[:60],
        "ATATT3" + "xFfGF0" + "aB3_-" * 30,
        "ntn_" + BODY[:46],
        "dp.pt." + BODY[:43],
    ],
    "a password of a machine": [
        "machine pypi.example.com login deploy password " + "s3cr3t",
        "machine a\n  login b\n  password " + "hunter2",
    ],
    "a Clarifai token": [
        f"CLARIFAI_PAT={HEX}",
        f"export CLARIFAI_PAT='{HEX}'",
        f'CLARIFAI_PAT: "{HEX}"',
        f"ENV CLARIFAI_PAT {HEX}",
        f'os.environ["CLARIFAI_PAT"] = "{HEX}"',
        f'os.environ.setdefault("CLARIFAI_SESSION_TOKEN", "{HEX}")',
        f'os.getenv("CLARIFAI_PAT") or "{HEX}"',
        f'os.environ["CLARIFAI_PAT"] = (\n        "{HEX}"\n)',
        f'{{"CLARIFAI_PAT":    "{HEX}"}}',
        f'"os.environ[\\"CLARIFAI_PAT\\"] = \\"{HEX}\\"\\n",',
        f"clarifai_pat = {HEX}",
        f"clarifaiPat: '{HEX}'",
        f'CLARIFAI_PAT: str = "{HEX}"',
        f'CLARIFAI_PAT_STAGING = b"{HEX}"',
        f"- name: CLARIFAI_PAT\n  value: {HEX}",
        f'<add key="CLARIFAI_PAT" value="{HEX}"/>',
        f"${{CLARIFAI_PAT:-{HEX}}}",
        f'model = Model(url=URL, pat="{HEX}")',
        f'PAT = "{HEX}"',
        f"setx CLARIFAI_PAT {HEX}",
        f'metadata = (("authorization", "Key {HEX}"),)',
        f"curl -H 'Authorization: Key {HEX}'",
        f"KAGGLE_KEY={HEX}",
        f'{{"username":"me","key":"{HEX}"}}',
        f'[{{"Name": "CLARIFAI_PAT", "Value": "{HEX}"}}]',
        f'ClarifaiApp("{HEX}")',
        f"User('me', '{HEX}')",
    ],
    "a Weights & Biases key": [
        "wandb." + form.format(HEX + "0f1e2d3c")
        for form in ('login(key="{}")', "login('{}')", 'login(\n    key = "{}"\n)')
    ],
    "a secret key": [
        f"export ROBOFLOW_API_KEY={BODY[:20]}",
        f"OPENAI_API_KEY={HEX}",
        f'wandb_api_key: "{HEX}0f1e2d3c"',
        f'ClarifaiApp(api_key="{HEX}")',
        f"apiKey: '{BODY[:32]}'",
        f'{{"client_secret": "{BODY[:40]}"}}',
        f"ACCESS_TOKEN = '{BODY[:30]}'",
        f'npmAuthToken: "{BODY[:36]}"',
        f'{{"accessToken": "{BODY[:36]}"}}',
        'SECRET_KEY = "' + "a9$k2"[:2] + "k2l0vb7p3x8n5q1w6t4z" + '"',
    ],
    "a password": [
        "DB_PASSWORD=" + "S3cr!t-pa55-9Zk",
        'password = "' + "Tr0ub4dor&3x" + '"',
        '"password": "' + "xK9#mQ2$vL7!" + '"',
        "Server=db;User Id=app;Pwd=" + "S3cr3t!Pa55;",
        "DB_PASS=" + "S3cr!t-pa55-9Zk",
        "ansible_ssh_pass: " + "S3cr3tPa55w0rd",
        "<password>" + "S3cr3tPa55w0rd</password>",
        '<add key="ClearTextPassword" value="' + 'S3cr3tPa55w0rd" />',
        "wget --user=deploy --password " + "S3cr3tPa55w0rd https://a.example.com",
    ],
    "a password in an address": [
        "https://deploy:" + "s3cr3t@pypi.example.com/simple",
        "https://me@corp.example.com:" + "s3cr3t@pypi.example.com/simple",
        "--extra-index-url https://deploy:" + "s3cr3t@host/simple",
        "postgresql+psycopg2://app:" + "hunter2@db.example.com:5432/models",
        "redis://:" + "hunter2@cache.example.com:6379/0",
        "https://oauth2:" + "s3cr3t%21@gitlab.example.com/a.git",
        f"https://{BODY[:32]}@github.com/a/b.git",
        "mongodb+srv://user:" + "p4ss:w0rd@cluster0.example.com/",
    ],
    "a token in an address": [
        f"--extra-index-url https://host/simple?token={BODY[:24]}",
        "https://conda.example.com/t/" + "tk-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0/main",
        f"curl -L 'https://host/raw/model.py?ref=main&token={BODY[:29]}'",
    ],
    "a signed address": [
        "https://b.s3.amazonaws.com/k?X-Amz-Expires=9&X-Amz-" + f"Signature={HEX * 2}",
    ],
}
"""By the name of the entry in the table."""
