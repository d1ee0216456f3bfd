// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICarbonAnchor} from "../interfaces/ICarbonAnchor.sol";
import {EpochHeader, EpochNumber} from "./EpochHeader.sol";

using {checkNext, checkTotals, advance, following} for Tip global;

/// @dev The figures of the last anchored header with which the next one is compared: two words, rewritten each time.
struct Tip {
    EpochNumber epoch;
    uint64 logSize;
    uint64 closedAt;
    uint128 co2Credits;
    uint128 co2Debits;
}

/// @dev Returns the number that the next epoch must have.
function following(Tip storage tip) view returns (EpochNumber) {
    return EpochNumber.wrap(EpochNumber.unwrap(tip.epoch) + 1);
}

/// @dev Refuses a header that is not of the next epoch.
function checkNext(Tip storage tip, EpochHeader calldata header) view {
    EpochNumber expected = tip.following();
    if (EpochNumber.unwrap(header.epoch) != EpochNumber.unwrap(expected)) {
        revert ICarbonAnchor.CarbonAnchorOutOfOrder(expected, header.epoch);
    }
}

/// @dev Refuses a header whose figures could not have come after those of the tip: the log only grows, and so do the
/// cumulative totals. Points are bound to the log by the account map and not compared here, which spares a word.
function checkTotals(Tip storage tip, EpochHeader calldata header) view {
    if (header.closedAt <= tip.closedAt) {
        revert ICarbonAnchor.CarbonAnchorDecreased("closedAt", tip.closedAt, header.closedAt);
    }
    if (header.logSize < tip.logSize) {
        revert ICarbonAnchor.CarbonAnchorDecreased("logSize", tip.logSize, header.logSize);
    }
    if (header.co2Credits < tip.co2Credits) {
        revert ICarbonAnchor.CarbonAnchorDecreased("co2Credits", tip.co2Credits, header.co2Credits);
    }
    if (header.co2Debits < tip.co2Debits) {
        revert ICarbonAnchor.CarbonAnchorDecreased("co2Debits", tip.co2Debits, header.co2Debits);
    }
    if (header.co2Debits > header.co2Credits) {
        revert ICarbonAnchor.CarbonAnchorOverdrawn("co2", header.co2Credits, header.co2Debits);
    }
    if (header.ptsDebits > header.ptsCredits) {
        revert ICarbonAnchor.CarbonAnchorOverdrawn("pts", header.ptsCredits, header.ptsDebits);
    }
}

/// @dev Takes over the figures of a header that passed the checks.
function advance(Tip storage tip, EpochHeader calldata header) {
    tip.epoch = header.epoch;
    tip.logSize = header.logSize;
    tip.closedAt = header.closedAt;
    tip.co2Credits = header.co2Credits;
    tip.co2Debits = header.co2Debits;
}
