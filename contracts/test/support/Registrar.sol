// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {RetirementRegistry} from "../../src/RetirementRegistry.sol";
import {EpochNumber} from "../../src/types/EpochHeader.sol";
import {MethodologyKey} from "../../src/types/Methodology.sol";
import {
    Batch,
    BatchId,
    Cancellation,
    Invalidation,
    InvalidationId,
    Issuance,
    Retirement,
    RetirementId
} from "../../src/types/Registration.sol";
import {VM} from "./Vm.sol";

/// @dev Somebody who tells a registry of units: makes what the contract under test is told. Names by keccak: SHA-256 is a
/// call, which `expectRevert` would take for the one that it waits for.
abstract contract Registrar {
    address internal constant KEEPER = address(0xAD);
    address internal constant REGISTRAR = address(0xB1);
    address internal constant INTRUDER = address(0x51);

    function deployRegistry() internal returns (RetirementRegistry registry) {
        registry = new RetirementRegistry(KEEPER, 48 hours);
        VM.startPrank(KEEPER);
        registry.grantRole(registry.REGISTRAR_ROLE(), REGISTRAR);
        VM.stopPrank();
    }

    function batchNamed(uint256 name) internal pure returns (BatchId) {
        return BatchId.wrap(keccak256(abi.encode("batch", name)));
    }

    function issuance(uint256 name, uint64 amount) internal pure returns (Issuance memory) {
        return Issuance({
            batchId: batchNamed(name),
            amount: amount,
            vintage: 202_601,
            methodologyKey: MethodologyKey.wrap(keccak256("methodology")),
            epoch: EpochNumber.wrap(7)
        });
    }

    /// @dev The next units of a batch.
    function retirement(uint256 name, Batch memory batch, uint256 batchName, uint64 amount)
        internal
        pure
        returns (Retirement memory)
    {
        return Retirement({
            retirementId: RetirementId.wrap(keccak256(abi.encode("retirement", name))),
            batchId: batchNamed(batchName),
            start: batch.cursor + 1,
            amount: amount,
            purpose: 2,
            beneficiaryCommit: keccak256(abi.encode("beneficiary", name)),
            evidenceHash: keccak256(abi.encode("claim", name))
        });
    }

    /// @dev The last units of a batch.
    function invalidation(uint256 name, Batch memory batch, uint256 batchName, uint64 amount)
        internal
        pure
        returns (Invalidation memory)
    {
        return Invalidation({
            invalidationId: InvalidationId.wrap(keccak256(abi.encode("invalidation", name))),
            batchId: batchNamed(batchName),
            end: batch.end,
            amount: amount
        });
    }

    function cancellation(uint64 epoch, uint128 mgA, uint128 mgB) internal pure returns (Cancellation memory) {
        return Cancellation({
            epoch: EpochNumber.wrap(epoch), root: keccak256(abi.encode("root", epoch)), totalMgA: mgA, totalMgB: mgB
        });
    }
}
