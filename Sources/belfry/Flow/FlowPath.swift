import BelfryClient

/// The way to one account's flows.
enum FlowPath {
    static func of(_ account: String, _ flow: String? = nil) -> String {
        let flows = "/v1/accounts/\(APIClient.part(account))/flows"
        return flow.map { "\(flows)/\(APIClient.part($0))" } ?? flows
    }
}
