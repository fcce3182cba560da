"""Settings come from the environment, and the secret stays a secret."""

import pickle

import pytest

from deribit_example.actors.deribit_ws.config import DeribitConfig, MissingSetting, Secret

ENVIRON = {
    "DERIBIT_CLIENT_ID": "id",
    "DERIBIT_CLIENT_SECRET": "hunter2",
    "DERIBIT_URL": "wss://test.deribit.com/ws/api/v2",
}


@pytest.mark.parametrize("variable", sorted(ENVIRON))
def test_a_missing_variable_is_named(variable: str) -> None:
    with pytest.raises(MissingSetting, match=variable):
        DeribitConfig.from_env({name: value for name, value in ENVIRON.items() if name != variable})


def test_an_address_that_is_no_websocket_is_refused() -> None:
    with pytest.raises(MissingSetting, match="wss://"):
        DeribitConfig.from_env({**ENVIRON, "DERIBIT_URL": "https://test.deribit.com"})


def test_nothing_that_prints_shows_the_secret() -> None:
    config = DeribitConfig.from_env(ENVIRON)
    assert config.credentials.client_secret.reveal() == "hunter2"
    for shown in (repr(config), str(config), f"{config.credentials}", repr(config.credentials.client_secret)):
        assert "hunter2" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(Secret("hunter2"))
