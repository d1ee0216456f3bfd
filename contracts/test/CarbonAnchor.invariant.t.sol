// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarbonAnchor} from "../src/CarbonAnchor.sol";
import {EpochHeader, EpochNumber, HeaderHash} from "../src/types/EpochHeader.sol";
import {Ledger} from "./support/Ledger.sol";
import {VM} from "./support/Vm.sol";

/// @dev An operator that anchors, repeats, forks, skips and rewrites at random, with a notebook of what was accepted.
contract Operator is Ledger {
    CarbonAnchor public immutable LOG;
    EpochHeader[] private _accepted;
    HeaderHash[] private _hashes;

    constructor() {
        LOG = deploy();
    }

    function anchorNext(uint64 seconds_, uint32 entries, uint64 mass, uint64 spent) external {
        EpochHeader memory header = _next();
        header.closedAt += 1 + seconds_ % 1e9;
        header.logSize += entries;
        header.co2Credits += mass;
        header.co2Debits += spent % (header.co2Credits - header.co2Debits + 1);
        VM.assertTrue(anchor(LOG, header));
        _accepted.push(header);
        _hashes.push(LOG.hashHeader(header));
    }

    function anchorAgain(uint256 which) external {
        if (_accepted.length == 0) return;
        VM.assertFalse(anchor(LOG, _accepted[which % _accepted.length]));
    }

    function fork(uint256 which, EpochHeader memory other) external {
        if (_accepted.length == 0) return;
        other.epoch = _accepted[which % _accepted.length].epoch;
        if (LOG.hashHeader(other) == headerHash(EpochNumber.unwrap(other.epoch))) return;
        _expectRefusal(other);
    }

    function skip(uint64 by) external {
        EpochHeader memory header = _next();
        header.closedAt += 1;
        header.epoch = EpochNumber.wrap(EpochNumber.unwrap(header.epoch) + 1 + by % 1000);
        _expectRefusal(header);
    }

    function shrink(uint128 by) external {
        if (_accepted.length == 0) return;
        EpochHeader memory header = _next();
        header.closedAt += 1;
        if (header.co2Credits == header.co2Debits) return;
        header.co2Credits -= 1 + by % (header.co2Credits - header.co2Debits);
        _expectRefusal(header);
    }

    function pauseAndResume() external {
        VM.prank(PAUSER);
        LOG.pause();
        EpochHeader memory header = _next();
        header.closedAt += 1;
        _expectRefusal(header);
        VM.prank(ADMIN);
        LOG.unpause();
    }

    function epochCount() external view returns (uint64) {
        return uint64(_hashes.length);
    }

    function headerHash(uint64 epoch) public view returns (HeaderHash) {
        return _hashes[epoch - 1];
    }

    function headerOf(uint64 epoch) external view returns (EpochHeader memory) {
        return _accepted[epoch - 1];
    }

    function _next() private view returns (EpochHeader memory header) {
        if (_accepted.length == 0) return firstHeader();
        header = copyOf(_accepted[_accepted.length - 1]);
        header.epoch = EpochNumber.wrap(uint64(_accepted.length + 1));
        header.prevHeader = _hashes[_hashes.length - 1];
    }

    function _expectRefusal(EpochHeader memory header) private {
        VM.expectRevert();
        anchor(LOG, header);
    }
}

contract CarbonAnchorInvariantTest is Ledger {
    Operator private operator;

    function setUp() public {
        operator = new Operator();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(operator);
    }

    function invariant_everyAcceptedHeaderStaysWhereItIs() public view {
        for (uint64 epoch = 1; epoch <= operator.epochCount(); ++epoch) {
            assertSame(operator.LOG().headerHashOf(EpochNumber.wrap(epoch)), operator.headerHash(epoch));
        }
    }

    function invariant_latestIsTheLastAcceptedAndNothingIsBeyond() public view {
        CarbonAnchor log = operator.LOG();
        uint64 count = operator.epochCount();
        (EpochNumber last, HeaderHash hash) = log.latest();
        VM.assertEq(EpochNumber.unwrap(last), count);
        assertSame(hash, count == 0 ? NO_HASH : operator.headerHash(count));
        assertSame(log.headerHashOf(EpochNumber.wrap(0)), NO_HASH);
        assertSame(log.headerHashOf(EpochNumber.wrap(count + 1)), NO_HASH);
    }

    function invariant_headersAreLinkedAndOnlyGrow() public view {
        for (uint64 epoch = 2; epoch <= operator.epochCount(); ++epoch) {
            EpochHeader memory header = operator.headerOf(epoch);
            EpochHeader memory before = operator.headerOf(epoch - 1);
            assertSame(header.prevHeader, operator.headerHash(epoch - 1));
            VM.assertGt(header.closedAt, before.closedAt);
            VM.assertLe(before.logSize, header.logSize);
            VM.assertLe(before.co2Credits, header.co2Credits);
            VM.assertLe(before.co2Debits, header.co2Debits);
            VM.assertLe(header.co2Debits, header.co2Credits);
        }
    }
}
