"""A simulated Deribit exchange on a loopback port, with switches for everything that can go wrong."""

from deribit_example.exchange.accounts import Account as Account
from deribit_example.exchange.clock import Clock as Clock
from deribit_example.exchange.clock import ManualClock as ManualClock
from deribit_example.exchange.clock import SystemClock as SystemClock
from deribit_example.exchange.config import ExchangeConfig as ExchangeConfig
from deribit_example.exchange.control import ControlError as ControlError
from deribit_example.exchange.control import ExchangeControl as ExchangeControl
from deribit_example.exchange.credits import CreditLimits as CreditLimits
from deribit_example.exchange.credits import Rate as Rate
from deribit_example.exchange.errors import RpcError as RpcError
from deribit_example.exchange.faults import DropKind as DropKind
from deribit_example.exchange.faults import Fault as Fault
from deribit_example.exchange.faults import FaultName as FaultName
from deribit_example.exchange.faults import FaultSwitches as FaultSwitches
from deribit_example.exchange.server import SimulatedExchange as SimulatedExchange
from deribit_example.exchange.snapshots import OrderSnapshot as OrderSnapshot
from deribit_example.exchange.snapshots import PositionSnapshot as PositionSnapshot
from deribit_example.exchange.snapshots import Stats as Stats
from deribit_example.exchange.snapshots import TradeSnapshot as TradeSnapshot
