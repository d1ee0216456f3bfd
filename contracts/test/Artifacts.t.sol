// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {CarbonAnchor} from "../src/CarbonAnchor.sol";
import {MethodologyRegistry} from "../src/MethodologyRegistry.sol";
import {RetirementRegistry} from "../src/RetirementRegistry.sol";
import {VM} from "./support/Vm.sol";

/// @dev What is tested here is what the application ships: forge and compile.mjs build the same bytes.
contract ArtifactsTest {
    function test_artifacts_holdTheBytecodeUnderTest() public view {
        assertShipped("CarbonAnchor", type(CarbonAnchor).creationCode);
        assertShipped("MethodologyRegistry", type(MethodologyRegistry).creationCode);
        assertShipped("RetirementRegistry", type(RetirementRegistry).creationCode);
    }

    function assertShipped(string memory name, bytes memory code) private view {
        string memory artifact = VM.readFile(string.concat("../app/chain_artifacts/", name, ".json"));
        VM.assertEq(VM.parseJsonBytes(artifact, ".bytecode"), code);
    }
}
