// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {IRetirementRegistry} from "./interfaces/IRetirementRegistry.sol";
import {EpochNumber} from "./types/EpochHeader.sol";
import {
    Batch,
    BatchId,
    Cancellation,
    Invalidation,
    InvalidationId,
    Issuance,
    RecordHash,
    Retirement,
    RetirementId,
    Totals,
    recordOf
} from "./types/Registration.sol";

/// @title Issued, retired and void units: each serial once, by a cursor per batch
/// @notice Holds no value and cannot be upgraded. It is not paused either: to stop it, its administrator revokes the
/// registrar's role.
contract RetirementRegistry is IRetirementRegistry, AccessControlDefaultAdminRules {
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR_ROLE");

    mapping(BatchId batchId => Batch batch) private _batches;
    mapping(RetirementId retirementId => RecordHash record) private _retirements;
    mapping(InvalidationId invalidationId => RecordHash record) private _invalidations;
    mapping(EpochNumber epoch => RecordHash record) private _cancellations;
    Totals private _totals;

    /// @param admin Holder of DEFAULT_ADMIN_ROLE: a multisig in production.
    /// @param adminDelay Seconds between announcing a new admin and its taking over: at least 48 hours in production.
    constructor(address admin, uint48 adminDelay) AccessControlDefaultAdminRules(adminDelay, admin) {}

    /// @inheritdoc IRetirementRegistry
    function issueBatch(Issuance calldata issuance) external onlyRole(REGISTRAR_ROLE) returns (bool fresh) {
        Batch storage batch = _batches[issuance.batchId];
        RecordHash given = recordOf(issuance);
        if (!_isFresh(BatchId.unwrap(issuance.batchId), batch.record, given)) return false;

        uint32 month = issuance.vintage % 100;
        if (month < 1 || month > 12) revert RetirementRegistryMeaningless("vintage", issuance.vintage);
        _checkMeaning("epoch", EpochNumber.unwrap(issuance.epoch));
        _checkMeaning("amount", issuance.amount);
        batch.record = given;
        batch.issued = issuance.amount;
        batch.end = issuance.amount;
        _totals.issued += issuance.amount;
        emit BatchIssued(issuance.batchId, issuance);
        return true;
    }

    /// @inheritdoc IRetirementRegistry
    function retire(Retirement calldata retirement) external onlyRole(REGISTRAR_ROLE) returns (bool fresh) {
        RecordHash given = recordOf(retirement);
        RecordHash known = _retirements[retirement.retirementId];
        if (!_isFresh(RetirementId.unwrap(retirement.retirementId), known, given)) return false;

        Batch storage batch = _batches[retirement.batchId];
        (uint64 issued, uint64 cursor, uint64 end) = (batch.issued, batch.cursor, batch.end);
        _checkMeaning("purpose", retirement.purpose);
        _checkAmount(retirement.batchId, issued, end - cursor, retirement.amount);
        if (retirement.start != cursor + 1) {
            revert RetirementRegistryOutOfOrder(retirement.batchId, cursor + 1, retirement.start);
        }
        batch.cursor = cursor + retirement.amount;
        _totals.retired += retirement.amount;
        _retirements[retirement.retirementId] = given;
        emit UnitsRetired(retirement.retirementId, retirement.batchId, retirement);
        return true;
    }

    /// @inheritdoc IRetirementRegistry
    function invalidate(Invalidation calldata invalidation) external onlyRole(REGISTRAR_ROLE) returns (bool fresh) {
        RecordHash given = recordOf(invalidation);
        RecordHash known = _invalidations[invalidation.invalidationId];
        if (!_isFresh(InvalidationId.unwrap(invalidation.invalidationId), known, given)) return false;

        Batch storage batch = _batches[invalidation.batchId];
        (uint64 issued, uint64 cursor, uint64 end) = (batch.issued, batch.cursor, batch.end);
        _checkAmount(invalidation.batchId, issued, end - cursor, invalidation.amount);
        if (invalidation.end != end) revert RetirementRegistryOutOfOrder(invalidation.batchId, end, invalidation.end);
        batch.end = end - invalidation.amount;
        _totals.invalidated += invalidation.amount;
        _invalidations[invalidation.invalidationId] = given;
        emit UnitsInvalidated(invalidation.invalidationId, invalidation.batchId, invalidation);
        return true;
    }

    /// @inheritdoc IRetirementRegistry
    function cancelEpoch(Cancellation calldata cancellation) external onlyRole(REGISTRAR_ROLE) returns (bool fresh) {
        uint64 epoch = EpochNumber.unwrap(cancellation.epoch);
        RecordHash given = recordOf(cancellation);
        if (!_isFresh(bytes32(uint256(epoch)), _cancellations[cancellation.epoch], given)) return false;

        _checkMeaning("epoch", epoch);
        _checkMeaning("total", uint256(cancellation.totalMgA) + cancellation.totalMgB);
        _totals.cancelledMgA += cancellation.totalMgA;
        _totals.cancelledMgB += cancellation.totalMgB;
        _cancellations[cancellation.epoch] = given;
        emit EpochCancelled(cancellation.epoch, cancellation);
        return true;
    }

    /// @inheritdoc IRetirementRegistry
    function batchOf(BatchId batchId) external view returns (Batch memory) {
        return _batches[batchId];
    }

    /// @inheritdoc IRetirementRegistry
    function retirementOf(RetirementId retirementId) external view returns (RecordHash) {
        return _retirements[retirementId];
    }

    /// @inheritdoc IRetirementRegistry
    function invalidationOf(InvalidationId invalidationId) external view returns (RecordHash) {
        return _invalidations[invalidationId];
    }

    /// @inheritdoc IRetirementRegistry
    function cancellationOf(EpochNumber epoch) external view returns (RecordHash) {
        return _cancellations[epoch];
    }

    /// @inheritdoc IRetirementRegistry
    function totals() external view returns (Totals memory) {
        return _totals;
    }

    /// @dev Tells what is new from what is known; another record under a known name is refused.
    function _isFresh(bytes32 subject, RecordHash known, RecordHash given) private pure returns (bool) {
        if (known == given) return false;
        if (known != RecordHash.wrap(0)) revert RetirementRegistryConflict(subject, known, given);
        return true;
    }

    function _checkMeaning(bytes32 field, uint256 given) private pure {
        if (given == 0) revert RetirementRegistryMeaningless(field, given);
    }

    /// @dev Refuses units that the batch does not have.
    function _checkAmount(BatchId batchId, uint64 issued, uint64 left, uint64 asked) private pure {
        if (issued == 0) revert RetirementRegistryUnknownBatch(batchId);
        _checkMeaning("amount", asked);
        if (asked > left) revert RetirementRegistryExhausted(batchId, left, asked);
    }
}
