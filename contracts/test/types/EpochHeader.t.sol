// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EpochHeader, EpochNumber, HEADER_TAG, HeaderHash, OriginTag, hashOf} from "../../src/types/EpochHeader.sol";
import {Ledger} from "../support/Ledger.sol";
import {VM} from "../support/Vm.sol";

contract EpochHeaderTest is Ledger {
    /// @dev External, because the library function reads calldata.
    function hashed(EpochHeader calldata header) external pure returns (HeaderHash) {
        return hashOf(header);
    }

    function test_hashOf_isThePublishedVector() public view {
        VM.assertEq(
            HeaderHash.unwrap(this.hashed(firstHeader())),
            0xda04ddf4cd0968dbafbba93c025401cddfbd877eeb3e1424299275eaea22d2d3
        );
    }

    function test_tags_areThoseOfTheSpecification() public pure {
        VM.assertEq(HEADER_TAG, sha256("carbon-anchor/v1/header"));
        VM.assertEq(
            OriginTag.unwrap(ORIGIN), sha256(bytes.concat("carbon-anchor/v1/origin", "carbon.example.sh.cn/ledger/1"))
        );
    }

    function testFuzz_hashOf_isSha256OfThe324Bytes(EpochHeader memory header) public view {
        bytes memory encoded = encode(header);
        VM.assertEq(encoded.length, 324);
        VM.assertEq(HeaderHash.unwrap(this.hashed(header)), sha256(encoded));
    }

    /// @dev A second way to the same bytes: a word for each field, cut to its width.
    function encode(EpochHeader memory h) private pure returns (bytes memory encoded) {
        encoded = bytes.concat(sha256("carbon-anchor/v1/header"), OriginTag.unwrap(h.originTag));
        encoded = bytes.concat(encoded, bytes4(h.params), bytes8(EpochNumber.unwrap(h.epoch)), bytes8(h.closedAt));
        encoded = bytes.concat(encoded, bytes8(h.logSize), bytes8(h.accountCount), h.logRoot, h.accountRoot);
        encoded = bytes.concat(encoded, h.methodologyRoot, bytes16(h.co2Credits), bytes16(h.co2Debits));
        encoded = bytes.concat(encoded, bytes16(h.ptsCredits), bytes16(h.ptsDebits), h.aux);
        encoded = bytes.concat(encoded, HeaderHash.unwrap(h.prevHeader));
    }
}
