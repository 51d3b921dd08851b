// The exit codes as supervisors and their admins meet them.

import Foundation
import Server
import Testing

@Test("docs/operations.md lists the exit codes, each with what --help says of it")
func operationsListsTheExitCodes() throws {
    let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(
        contentsOf: root.appendingPathComponent("docs/operations.md"), encoding: .utf8)
    for code in ExitCode.allCases {
        #expect(page.contains("| \(code.rawValue) | \(code.meaning) |\n"), "\(code)")
    }
}
