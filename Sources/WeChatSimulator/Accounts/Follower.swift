/// A person as one account knows them.
struct Follower: Sendable {
    var subscribed = false
    /// Seconds since 1970 of the last follow.
    var subscribedAt: Int64 = 0
    /// The scene of the QR code by which they came, or empty.
    var scene = ""
    var windows = WindowBook()
    /// Milliseconds since 1970 of the last action; decides whether "typing" may be shown.
    var lastAction: Int64 = 0
    /// Milliseconds since 1970 until which "typing" is shown.
    var typingUntil: Int64 = 0
    /// Hashes of the customer-service messages seen since the last follow, to find duplicates. Bounded.
    private var seen: [Int] = []
    /// How many notifications of each template may still be sent.
    var consents: [String: Int] = [:]
    /// Template messages of the last ten minutes by their `client_msg_id`.
    var notices: [String: (id: Int64, time: Int64)] = [:]

    /// Notes a message; true when the same one was seen before in this follow session.
    mutating func sees(_ hash: Int) -> Bool {
        if seen.contains(hash) { return true }
        if seen.count < 256 { seen.append(hash) }
        return false
    }

    mutating func follow(at createTime: Int64, scene: String) {
        subscribed = true
        subscribedAt = createTime
        self.scene = scene
        windows.closeAll()
        seen = []
    }

    mutating func unfollow() {
        subscribed = false
        windows.closeAll()
        seen = []
    }
}
