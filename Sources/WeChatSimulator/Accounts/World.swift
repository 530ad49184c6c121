/// The whole simulated WeChat: pure state, changed under one lock.
struct World: Sendable {
    private(set) var accounts: [SimulatedAccount] = []
    private var numbers: [String: Int] = [:]
    var log: DeliveryLog
    var faults = FaultPlan()
    var random: SeededRandom

    init(seed: UInt64, logCapacity: Int) {
        random = SeededRandom(seed: seed)
        log = DeliveryLog(capacity: logCapacity)
    }

    /// Adds an account, or changes the settings of one that is there.
    mutating func put(_ settings: AccountSettings) {
        if let number = numbers[settings.appID] {
            accounts[number].settings = settings
        } else {
            numbers[settings.appID] = accounts.count
            accounts.append(SimulatedAccount(number: accounts.count, settings: settings))
        }
    }

    func number(of appID: String) -> Int? { numbers[appID] }

    subscript(_ number: Int) -> SimulatedAccount {
        _read { yield accounts[number] }
        _modify { yield &accounts[number] }
    }

    /// The number of the account whose token it is, dead or alive; nil for anything else.
    func number(ofToken token: String) -> Int? {
        guard let digits = token.split(separator: "_", maxSplits: 1).first,
            let number = Int(digits), accounts.indices.contains(number - 1)
        else { return nil }
        return number - 1
    }

    mutating func newToken(_ number: Int) -> String { "\(number + 1)_" + random.word(134) }

    mutating func newRID() -> String {
        let hex = random.hex(24)
        let first = hex.index(hex.startIndex, offsetBy: 8)
        let second = hex.index(first, offsetBy: 8)
        return "\(hex[..<first])-\(hex[first..<second])-\(hex[second...])"
    }
}
