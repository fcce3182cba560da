"""Credit pools of the account: an actor that grants or denies, its commands, and a blocking client."""

from deribit_example.actors.rate_limiter.actor import RateLimiter as RateLimiter
from deribit_example.actors.rate_limiter.business import DOCUMENTED_SPECS as DOCUMENTED_SPECS
from deribit_example.actors.rate_limiter.business import Pool as Pool
from deribit_example.actors.rate_limiter.business import PoolSpec as PoolSpec
from deribit_example.actors.rate_limiter.business import specs_from_account as specs_from_account
from deribit_example.actors.rate_limiter.client import RateLimiterClient as RateLimiterClient
from deribit_example.actors.rate_limiter.messaging import Acquire as Acquire
from deribit_example.actors.rate_limiter.messaging import Decision as Decision
from deribit_example.actors.rate_limiter.messaging import Denied as Denied
from deribit_example.actors.rate_limiter.messaging import Granted as Granted
from deribit_example.actors.rate_limiter.messaging import PoolState as PoolState
from deribit_example.actors.rate_limiter.messaging import RateLimiterCommand as RateLimiterCommand
from deribit_example.actors.rate_limiter.messaging import Refund as Refund
from deribit_example.actors.rate_limiter.messaging import Snapshot as Snapshot
from deribit_example.actors.rate_limiter.messaging import UpdateLimits as UpdateLimits
