"""Signals from market data: an actor, its commands, and the pure indicators behind it."""

from deribit_example.actors.ta_signal.actor import TASignalActor as TASignalActor
from deribit_example.actors.ta_signal.business import CrossoverSettings as CrossoverSettings
from deribit_example.actors.ta_signal.business import Side as Side
from deribit_example.actors.ta_signal.business import Signal as Signal
from deribit_example.actors.ta_signal.messaging import MarketTick as MarketTick
from deribit_example.actors.ta_signal.messaging import Reset as Reset
from deribit_example.actors.ta_signal.messaging import TASignalCommand as TASignalCommand
