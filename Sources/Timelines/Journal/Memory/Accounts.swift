/// Numbers for account names, and how many pushes of each are pending.
struct Accounts {
    private(set) var names: [String] = []
    private var pending: [Int] = []
    private var numbers: [String: UInt32] = [:]
    /// Pushes of one batch mostly belong to one account.
    private var newest: [UInt8] = []
    private var newestNumber: UInt32?

    static let limit = 1 << 24

    mutating func number(_ name: UnsafeRawBufferPointer) -> UInt32 {
        if let newestNumber, newest.count == name.count,
            newest.withUnsafeBytes({ same($0, name) })
        {
            return newestNumber
        }
        let text = String(decoding: name, as: UTF8.self)
        let number = numbers[text] ?? add(text)
        newest = Array(name)
        newestNumber = number
        return number
    }

    @discardableResult
    mutating func add(_ name: String) -> UInt32 {
        precondition(names.count < Self.limit, "too many accounts")
        let number = UInt32(names.count)
        names.append(name)
        pending.append(0)
        numbers[name] = number
        return number
    }

    @inline(__always)
    mutating func count(_ number: Int, _ change: Int) { pending[number] += change }

    var byName: [String: Int] {
        var counts: [String: Int] = [:]
        for (number, count) in pending.enumerated() where count > 0 {
            counts[names[number], default: 0] += count
        }
        return counts
    }

    @inline(__always)
    private func same(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        for index in 0..<a.count where a[index] != b[index] { return false }
        return true
    }
}
