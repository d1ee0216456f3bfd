// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EpochNumber} from "../types/EpochHeader.sol";
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
    Totals
} from "../types/Registration.sol";

/// @title The public register of issued, retired and void units (减排量登记)
/// @notice A unit is one kilogram of verified reductions. Units are retired in the order of their numbers: a batch has
/// one cursor, each retirement takes the next units after it, and so no serial can be retired twice. Nobody is named
/// here: who benefits, and what the certificate says, are salted commitments.
/// @dev Every function answers false when told again what it knows, so a registrar that lost an answer simply asks
/// again, and a lost chain is told everything again in the same order. What it proves is the order and the quantities,
/// as far as the validators of this chain are trusted; not that the reductions behind a batch took place.
interface IRetirementRegistry {
    /// @notice A batch was issued.
    event BatchIssued(BatchId indexed batchId, Issuance issuance);

    /// @notice Units were used for ever.
    event UnitsRetired(RetirementId indexed retirementId, BatchId indexed batchId, Retirement retirement);

    /// @notice The last units of a batch were declared void.
    event UnitsInvalidated(InvalidationId indexed invalidationId, BatchId indexed batchId, Invalidation invalidation);

    /// @notice What was voluntarily cancelled in an epoch.
    event EpochCancelled(EpochNumber indexed epoch, Cancellation cancellation);

    /// @notice The same name was used before and something else was said of it.
    error RetirementRegistryConflict(bytes32 subject, RecordHash known, RecordHash given);

    /// @notice A field has a value that means nothing.
    error RetirementRegistryMeaningless(bytes32 field, uint256 given);

    /// @notice No such batch was issued here.
    error RetirementRegistryUnknownBatch(BatchId batchId);

    /// @notice The registrar believes the batch to stand elsewhere: something came in between.
    error RetirementRegistryOutOfOrder(BatchId batchId, uint64 expected, uint64 given);

    /// @notice The batch has fewer units left.
    error RetirementRegistryExhausted(BatchId batchId, uint64 left, uint64 asked);

    /// @notice Register the units of an issuance.
    /// @dev Only REGISTRAR_ROLE. Reverts on a zero amount or epoch, on a vintage that is no month, and on other words
    /// about a known batch.
    /// @return fresh True if this call did it, false if it was there before.
    function issueBatch(Issuance calldata issuance) external returns (bool fresh);

    /// @notice Use the next units of a batch, for ever.
    /// @dev Only REGISTRAR_ROLE. `start` must be the unit after the cursor. Reverts on a zero amount or purpose, on more
    /// units than the batch has left, and on other words about a known retirement.
    /// @return fresh True if this call did it, false if it was done before.
    function retire(Retirement calldata retirement) external returns (bool fresh);

    /// @notice Declare the last units of a batch void; retired ones cannot be.
    /// @dev Only REGISTRAR_ROLE. `end` must be the present end. Reverts as {retire} does.
    /// @return fresh True if this call did it, false if it was done before.
    function invalidate(Invalidation calldata invalidation) external returns (bool fresh);

    /// @notice Note what was voluntarily cancelled in an epoch, all together; once per epoch.
    /// @dev Only REGISTRAR_ROLE. Reverts on epoch zero, if nothing was cancelled, and on other words about a known one.
    /// @return fresh True if this call did it, false if it was done before.
    function cancelEpoch(Cancellation calldata cancellation) external returns (bool fresh);

    /// @notice Where a batch stands; all zero if it is unknown.
    function batchOf(BatchId batchId) external view returns (Batch memory);

    /// @notice The record of a retirement, zero if it is unknown.
    function retirementOf(RetirementId retirementId) external view returns (RecordHash);

    /// @notice The record of an invalidation, zero if it is unknown.
    function invalidationOf(InvalidationId invalidationId) external view returns (RecordHash);

    /// @notice The record of an epoch's cancellations, zero if there is none.
    function cancellationOf(EpochNumber epoch) external view returns (RecordHash);

    /// @notice The sums over all batches and epochs.
    function totals() external view returns (Totals memory);
}
