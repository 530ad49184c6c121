import Testing

@testable import BelfryBench

@Suite("What the kernel says")
struct ProcessUsageTests {
    @Test("a thread's voluntary switches are read, and not the others")
    func switches() {
        let status =
            "Name:\tbelfry\nvoluntary_ctxt_switches:\t150\nnonvoluntary_ctxt_switches:\t9\n"
        #expect(ProcessUsage.voluntarySwitches(status) == 150)
        #expect(ProcessUsage.voluntarySwitches("Name:\tbelfry\n") == nil)
    }

    #if os(Linux)
    @Test("memory that is touched counts")
    func resident() throws {
        let before = try ProcessUsage.residentBytes()
        let block = [UInt8](repeating: 1, count: 256 << 20)
        let after = try ProcessUsage.residentBytes()
        #expect(after - before > 128 << 20)
        #expect(block.last == 1)
    }

    @Test("every thread of this process is counted")
    func threads() throws {
        #expect(try !ProcessUsage.sleeps().isEmpty)
    }
    #endif
}
