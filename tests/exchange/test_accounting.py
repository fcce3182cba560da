"""Positions, credit pools, the market's walk and the book's edges, without any network."""

from decimal import Decimal

from deribit_example.exchange.credits import CreditLimits, CreditPools, Rate
from deribit_example.exchange.instruments import INSTRUMENTS
from deribit_example.exchange.market import Market
from deribit_example.exchange.positions import Position

BTC, _, SOL = INSTRUMENTS


def walk(seed: int) -> list[Decimal]:
    market = Market(BTC, seed=seed, volatility_bps=Decimal(5), band=Decimal("0.015"))
    prices = []
    for _ in range(50):
        market.step()
        prices.append(market.mark)
    return prices


def test_the_same_seed_walks_the_same_prices() -> None:
    assert walk(7) == walk(7)
    assert walk(7) != walk(8)


def test_every_price_of_the_walk_is_on_the_tick() -> None:
    assert all(BTC.on_tick(price) for price in walk(3))


def test_a_linear_position_earns_the_difference_of_prices() -> None:
    position = Position(instrument=SOL, user_id=1).after("buy", Decimal(2), Decimal(100))
    position = position.after("sell", Decimal(2), Decimal(110))
    assert (position.size, position.realized) == (Decimal(0), Decimal(20))


def test_an_inverse_position_earns_coin() -> None:
    position = Position(instrument=BTC, user_id=1).after("sell", Decimal(1000), Decimal(50_000))
    position = position.after("buy", Decimal(1000), Decimal(40_000))
    assert position.realized == Decimal("0.005")


def test_crossing_zero_starts_a_new_average_price() -> None:
    position = Position(instrument=SOL, user_id=1).after("buy", Decimal(1), Decimal(100))
    position = position.after("sell", Decimal(3), Decimal(120))
    assert (position.size, position.average_price, position.realized) == (Decimal(-2), Decimal(120), Decimal(20))


def test_credits_run_out_and_come_back_with_time() -> None:
    pools = CreditPools(CreditLimits(rates={"matching_engine": Rate(10, 2)}))
    assert [pools.spend(1, "matching_engine", 0) for _ in range(3)] == [True, True, False]
    assert pools.spend(1, "matching_engine", 100_000)
    assert pools.spend(2, "matching_engine", 100_000)


def test_a_clock_set_back_takes_no_credits_away() -> None:
    pools = CreditPools(CreditLimits(rates={"matching_engine": Rate(10, 2)}))
    assert pools.spend(1, "matching_engine", 1_000_000)
    assert pools.spend(1, "matching_engine", 0)
    assert not pools.spend(1, "matching_engine", 0)
