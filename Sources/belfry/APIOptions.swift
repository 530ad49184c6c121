import ArgumentParser
import BelfryClient

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Where the server is, who asks, and how the answer is printed.
struct APIOptions: ParsableArguments {
    @Option(help: "The server's address. Or BELFRY_URL. (default: http://127.0.0.1:8080)")
    var server: String?

    @Option(
        help:
            "An API key. Or BELFRY_KEY; better than here, where others on the machine can read it."
    )
    var key: String?

    @Option(help: "A file that holds an API key, such as admin.key in the data folder.")
    var keyFile: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// - Throws: ``Failure`` where the key file cannot be read.
    func client() throws -> APIClient {
        let environment = ProcessInfo.processInfo.environment
        let address = server ?? environment["BELFRY_URL"] ?? "http://127.0.0.1:8080"
        var secret = key ?? environment["BELFRY_KEY"]
        if let keyFile { secret = try Input.firstLine(of: keyFile, "the API key") }
        return try APIClient(address: address, key: secret)
    }
}
