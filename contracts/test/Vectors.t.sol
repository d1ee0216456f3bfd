// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarbonAnchor} from "../src/CarbonAnchor.sol";
import {MethodologyRegistry} from "../src/MethodologyRegistry.sol";
import {RetirementRegistry} from "../src/RetirementRegistry.sol";
import {EpochHeader, EpochNumber, HeaderHash, OriginTag} from "../src/types/EpochHeader.sol";
import {MethodologyKey} from "../src/types/Methodology.sol";
import {
    BatchId,
    Cancellation,
    Invalidation,
    InvalidationId,
    Issuance,
    RecordHash,
    Retirement,
    RetirementId
} from "../src/types/Registration.sol";
import {Ledger} from "./support/Ledger.sol";
import {Registrar} from "./support/Registrar.sol";
import {VM} from "./support/Vm.sol";

/// @dev The vectors that Python wrote and TypeScript reads too, in place; tests/vectors/README.md names their fields.
contract VectorsTest is Ledger, Registrar {
    string private constant FOLDER = "../tests/vectors/";
    CarbonAnchor private log;

    function setUp() public {
        log = deploy();
    }

    function test_headers_hashToTheVectors() public view {
        string memory json = VM.readFile(string.concat(FOLDER, "headers.json"));
        VM.assertEq(VM.parseJsonBytes32(json, ".origin_tag"), OriginTag.unwrap(ORIGIN));
        uint256 count = 0;
        for (; VM.keyExistsJson(json, place("headers", count, "")); ++count) {
            HeaderHash hash = log.hashHeader(readHeader(json, count));
            VM.assertEq(HeaderHash.unwrap(hash), VM.parseJsonBytes32(json, place("headers", count, ".hash")));
            bytes memory encoded = VM.parseJsonBytes(json, place("headers", count, ".bytes"));
            VM.assertEq(encoded.length, 324);
            VM.assertEq(sha256(encoded), HeaderHash.unwrap(hash));
        }
        VM.assertGt(count, 4);
    }

    /// @dev The first vector is the published header; the four after it are one ledger's first four epochs.
    function test_headers_areAnchoredOneAfterAnother() public {
        string memory json = VM.readFile(string.concat(FOLDER, "headers.json"));
        for (uint256 i = 1; i <= 4; ++i) {
            VM.assertTrue(anchor(log, readHeader(json, i)));
        }
        (EpochNumber last, HeaderHash hash) = log.latest();
        VM.assertEq(EpochNumber.unwrap(last), 4);
        VM.assertEq(HeaderHash.unwrap(hash), VM.parseJsonBytes32(json, place("headers", 4, ".hash")));
    }

    function test_methodologyKeys_areTheVectors() public {
        MethodologyRegistry registry = new MethodologyRegistry(ADMIN, DELAY);
        string memory json = VM.readFile(string.concat(FOLDER, "assets.json"));
        uint256 count = 0;
        for (; VM.keyExistsJson(json, place("methodology_keys", count, "")); ++count) {
            MethodologyKey key = registry.methodologyKey(
                VM.parseJsonString(json, place("methodology_keys", count, ".code")),
                uint32(VM.parseJsonUint(json, place("methodology_keys", count, ".version")))
            );
            VM.assertEq(MethodologyKey.unwrap(key), VM.parseJsonBytes32(json, place("methodology_keys", count, ".key")));
        }
        VM.assertGt(count, 2);
    }

    /// @dev Told in their order, each is taken, kept as the record of the vector, and known the second time.
    function test_registrations_areTakenAndKeptAsTheVectors() public {
        RetirementRegistry registry = deployRegistry();
        string memory json = VM.readFile(string.concat(FOLDER, "registrations.json"));
        uint256 count = 0;
        for (; VM.keyExistsJson(json, place("told", count, "")); ++count) {
            VM.startPrank(REGISTRAR);
            (bool fresh, RecordHash kept) = tell(registry, json, count);
            VM.assertTrue(fresh);
            VM.assertEq(RecordHash.unwrap(kept), VM.parseJsonBytes32(json, place("told", count, ".record")));
            (fresh,) = tell(registry, json, count);
            VM.assertFalse(fresh);
            VM.stopPrank();
        }
        VM.assertGt(count, 7);
    }

    /// @dev The names under which the contract knows things are tagged hashes of their 16-byte ids.
    function test_registrationNames_areTheVectors() public view {
        string memory json = VM.readFile(string.concat(FOLDER, "registrations.json"));
        uint256 count = 0;
        for (; VM.keyExistsJson(json, place("names", count, "")); ++count) {
            string memory tag = VM.parseJsonString(json, place("names", count, ".tag"));
            bytes memory id = VM.parseJsonBytes(json, place("names", count, ".id"));
            VM.assertEq(id.length, 16);
            VM.assertEq(
                VM.parseJsonBytes32(json, place("names", count, ".name")),
                sha256(abi.encodePacked(sha256(abi.encodePacked("carbon-anchor/v1/", tag)), id))
            );
        }
        VM.assertEq(count, 3);
    }

    function tell(RetirementRegistry registry, string memory json, uint256 i)
        private
        returns (bool fresh, RecordHash kept)
    {
        bytes32 kind = sha256(bytes(VM.parseJsonString(json, place("told", i, ".kind"))));
        if (kind == sha256("issue")) {
            Issuance memory said = Issuance({
                batchId: BatchId.wrap(told(json, i, 0)),
                amount: uint64(amount(json, i, 1)),
                vintage: uint32(amount(json, i, 2)),
                methodologyKey: MethodologyKey.wrap(told(json, i, 3)),
                epoch: EpochNumber.wrap(uint64(amount(json, i, 4)))
            });
            return (registry.issueBatch(said), registry.batchOf(said.batchId).record);
        }
        if (kind == sha256("retire")) {
            Retirement memory said = Retirement({
                retirementId: RetirementId.wrap(told(json, i, 0)),
                batchId: BatchId.wrap(told(json, i, 1)),
                start: uint64(amount(json, i, 2)),
                amount: uint64(amount(json, i, 3)),
                purpose: uint8(amount(json, i, 4)),
                beneficiaryCommit: told(json, i, 5),
                evidenceHash: told(json, i, 6)
            });
            return (registry.retire(said), registry.retirementOf(said.retirementId));
        }
        if (kind == sha256("invalidate")) {
            Invalidation memory said = Invalidation({
                invalidationId: InvalidationId.wrap(told(json, i, 0)),
                batchId: BatchId.wrap(told(json, i, 1)),
                end: uint64(amount(json, i, 2)),
                amount: uint64(amount(json, i, 3))
            });
            return (registry.invalidate(said), registry.invalidationOf(said.invalidationId));
        }
        VM.assertEq(kind, sha256("cancel_epoch"));
        Cancellation memory given = Cancellation({
            epoch: EpochNumber.wrap(uint64(amount(json, i, 0))),
            root: told(json, i, 1),
            totalMgA: uint128(amount(json, i, 2)),
            totalMgB: uint128(amount(json, i, 3))
        });
        return (registry.cancelEpoch(given), registry.cancellationOf(given.epoch));
    }

    /// @dev The chain's SHA-256 is that of the other languages.
    function test_entries_hashToTheVectors() public view {
        string memory json = VM.readFile(string.concat(FOLDER, "entries.json"));
        uint256 count = 0;
        for (; VM.keyExistsJson(json, place("entries", count, "")); ++count) {
            bytes memory preimage = VM.parseJsonBytes(json, place("entries", count, ".preimage"));
            VM.assertEq(sha256(preimage), VM.parseJsonBytes32(json, place("entries", count, ".leaf")));
        }
        VM.assertGt(count, 20);
    }

    function readHeader(string memory json, uint256 index) private pure returns (EpochHeader memory header) {
        header.originTag = OriginTag.wrap(word(json, index, ".origin_tag"));
        header.params = uint32(number(json, index, ".params"));
        header.epoch = EpochNumber.wrap(uint64(number(json, index, ".epoch")));
        header.closedAt = uint64(number(json, index, ".closed_at"));
        header.logSize = uint64(number(json, index, ".log_size"));
        header.accountCount = uint64(number(json, index, ".account_count"));
        header.logRoot = word(json, index, ".log_root");
        header.accountRoot = word(json, index, ".account_root");
        header.methodologyRoot = word(json, index, ".methodology_root");
        header.co2Credits = uint128(number(json, index, ".sums[0]"));
        header.co2Debits = uint128(number(json, index, ".sums[1]"));
        header.ptsCredits = uint128(number(json, index, ".sums[2]"));
        header.ptsDebits = uint128(number(json, index, ".sums[3]"));
        header.aux = word(json, index, ".aux");
        header.prevHeader = HeaderHash.wrap(word(json, index, ".prev_header"));
    }

    function word(string memory json, uint256 index, string memory field) private pure returns (bytes32) {
        return VM.parseJsonBytes32(json, place("headers", index, field));
    }

    function number(string memory json, uint256 index, string memory field) private pure returns (uint256) {
        return VM.parseJsonUint(json, place("headers", index, field));
    }

    function told(string memory json, uint256 index, uint256 nth) private pure returns (bytes32) {
        return VM.parseJsonBytes32(json, place("told", index, string.concat(".words[", VM.toString(nth), "]")));
    }

    function amount(string memory json, uint256 index, uint256 nth) private pure returns (uint256) {
        return VM.parseJsonUint(json, place("told", index, string.concat(".words[", VM.toString(nth), "]")));
    }

    function place(string memory list, uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", VM.toString(index), "]", field);
    }
}
