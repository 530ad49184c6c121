package import BelfryCore

/// What WeChat tells about a follower. Names and pictures have been empty since 2021 and are left out.
package struct WeChatUser: Sendable, Hashable {
    package var openID: String
    /// Where this is false, WeChat tells nothing else.
    package var follows: Bool
    package var unionID: String?
    package var followed: Timestamp?
    package var remark: String
    package var tagIDs: [Int64]
    /// How the person came to follow: `ADD_SCENE_QR_CODE`, `ADD_SCENE_SEARCH` …
    package var scene: String
    package var qrScene: String
    package var language: String

    init(_ answer: APIAnswer) throws(WeChatFailure) {
        let value = answer.value
        openID = try answer.need("openid")
        follows = value["subscribe"]?.wholeNumber == 1
        unionID = value["unionid"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        followed = value["subscribe_time"]?.wholeNumber.flatMap {
            (1...999_999_999_999).contains($0) ? .seconds($0) : nil
        }
        remark = value["remark"]?.string ?? ""
        if case .array(let tags) = value["tagid_list"] {
            tagIDs = tags.compactMap(\.wholeNumber)
        } else {
            tagIDs = []
        }
        scene = value["subscribe_scene"]?.string ?? ""
        let number = value["qr_scene"]?.wholeNumber.map(String.init) ?? ""
        let text = value["qr_scene_str"]?.string ?? ""
        qrScene = text.isEmpty ? (number == "0" ? "" : number) : text
        language = value["language"]?.string ?? ""
    }
}
