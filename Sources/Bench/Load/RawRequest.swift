/// Lays out HTTP/1.1 requests as bytes.
enum RawRequest {
    static func post(_ path: String, type: String, body: some Collection<UInt8>) -> [UInt8] {
        let head = """
            POST \(path) HTTP/1.1\r
            Host: 127.0.0.1\r
            Content-Type: \(type)\r
            Content-Length: \(body.count)\r
            \r

            """
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.utf8.count + body.count)
        bytes += head.utf8
        bytes += body
        return bytes
    }
}
