import BelfryCore

/// The body of a file upload. WeChat refuses a part without a file name.
struct MultipartForm {
    let contentType: String
    let body: [UInt8]

    init(file: MediaFile) {
        // A file cannot hold its own digest, so the boundary never occurs in it, and the same file gives the same body.
        let digest = Hex.text(file.hash)
        let boundary = "belfry-\(digest)"
        let format = MediaFormat(file.bytes)
        let name = "\(digest.prefix(16)).\(format?.fileExtension ?? "bin")"
        contentType = "multipart/form-data; boundary=\(boundary)"
        var body = Array(
            """
            --\(boundary)\r
            Content-Disposition: form-data; name="media"; filename="\(name)"\r
            Content-Type: \(format?.contentType ?? "application/octet-stream")\r
            \r

            """.utf8
        )
        body += file.bytes
        body += "\r\n--\(boundary)--\r\n".utf8
        self.body = body
    }
}
