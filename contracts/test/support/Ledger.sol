// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarbonAnchor} from "../../src/CarbonAnchor.sol";
import {EpochHeader, EpochNumber, HeaderHash, OriginTag} from "../../src/types/EpochHeader.sol";
import {VM} from "./Vm.sol";

/// @dev A ledger that closes epochs: it makes the headers that the contract under test is given.
abstract contract Ledger {
    address internal constant ADMIN = address(0xAD);
    address internal constant ANCHORER = address(0xA1);
    address internal constant PAUSER = address(0xBA);
    address internal constant STRANGER = address(0x51);
    uint48 internal constant DELAY = 48 hours;
    bytes[] internal NONE;

    /// @dev SHA-256("carbon-anchor/v1/origin" ‖ "carbon.example.sh.cn/ledger/1").
    OriginTag internal constant ORIGIN =
        OriginTag.wrap(0x967f24364493772333929682fc6a9050043b316035860543a1b6385796450b00);
    HeaderHash internal constant NO_HASH = HeaderHash.wrap(0);

    /// @dev The header published in the specification, and the first of this ledger.
    function firstHeader() internal pure returns (EpochHeader memory) {
        return EpochHeader({
            originTag: ORIGIN,
            params: 0x10101,
            epoch: EpochNumber.wrap(1),
            closedAt: 1_767_225_600,
            logSize: 1,
            accountCount: 1,
            logRoot: 0x76bdb1c920ec8e8c7dd45d6e39db5cadf25a453cc4428e701dfc246a80d41b72,
            accountRoot: 0xe440aa4adcb4b09bb5e3a095e21794d8380fabb40e219055a31bbda596f3edd1,
            methodologyRoot: 0x3333333333333333333333333333333333333333333333333333333333333333,
            co2Credits: 1234,
            co2Debits: 0,
            ptsCredits: 123,
            ptsDebits: 0,
            aux: 0,
            prevHeader: NO_HASH
        });
    }

    /// @dev The header of a busy day after `header`.
    function after_(EpochHeader memory header, HeaderHash prev) internal pure returns (EpochHeader memory next) {
        next = copyOf(header);
        next.epoch = EpochNumber.wrap(EpochNumber.unwrap(header.epoch) + 1);
        next.closedAt += 86_400;
        next.logSize += 1_000_000;
        next.accountCount += 4_321;
        next.co2Credits += 2_000_000_000_000;
        next.co2Debits += 1_000_000_000;
        next.ptsCredits += 90_000_000;
        next.ptsDebits += 10_000_000;
        next.logRoot = keccak256(abi.encode("log", next.epoch));
        next.accountRoot = keccak256(abi.encode("accounts", next.epoch));
        next.aux = keccak256(abi.encode("aux", next.epoch));
        next.prevHeader = prev;
    }

    function copyOf(EpochHeader memory header) internal pure returns (EpochHeader memory) {
        return abi.decode(abi.encode(header), (EpochHeader));
    }

    function deploy() internal returns (CarbonAnchor log) {
        return deployAt(EpochNumber.wrap(1), NO_HASH);
    }

    function deployAt(EpochNumber firstEpoch, HeaderHash firstPrev) internal returns (CarbonAnchor log) {
        log = new CarbonAnchor(firstEpoch, firstPrev, ORIGIN, ADMIN, DELAY);
        VM.startPrank(ADMIN);
        log.grantRole(log.ANCHOR_ROLE(), ANCHORER);
        log.grantRole(log.PAUSER_ROLE(), PAUSER);
        VM.stopPrank();
    }

    function anchor(CarbonAnchor log, EpochHeader memory header) internal returns (bool) {
        VM.prank(ANCHORER);
        return log.anchor(header, NONE);
    }

    function assertSame(HeaderHash left, HeaderHash right) internal pure {
        VM.assertEq(HeaderHash.unwrap(left), HeaderHash.unwrap(right));
    }
}
