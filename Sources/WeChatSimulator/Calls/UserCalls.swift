extension World {
    /// `GET /cgi-bin/user/info`
    func userInfo(_ call: APICall, _ number: Int) throws(WeChatError) -> APIAnswer {
        guard let openID = call.query["openid"], let person = describe(openID, number) else {
            throw .openID
        }
        return .json(person)
    }

    /// `POST /cgi-bin/user/info/batchget`: up to 100 at once.
    func userInfos(_ call: APICall, _ number: Int) throws(WeChatError) -> APIAnswer {
        try call.needs("POST")
        guard let list = try call.json()["user_list"]?.array, (1...100).contains(list.count) else {
            throw .jsonFormat
        }
        var people: [JSONValue] = []
        for entry in list {
            guard let openID = entry["openid"]?.string, let person = describe(openID, number)
            else { throw .openID }
            people.append(person)
        }
        return .json(["user_info_list": .array(people)])
    }

    /// Since 2021-12-27 without name, picture, sex and city.
    private func describe(_ openID: String, _ number: Int) -> JSONValue? {
        guard let follower = self[number].followers[openID] else { return nil }
        guard follower.subscribed else { return ["subscribe": 0, "openid": .string(openID)] }
        let scene = Int64(follower.scene)
        return [
            "subscribe": 1, "openid": .string(openID), "nickname": "", "sex": 0,
            "language": "zh_CN", "city": "", "province": "", "country": "", "headimgurl": "",
            "subscribe_time": .integer(follower.subscribedAt), "remark": "", "groupid": 0,
            "tagid_list": [],
            "subscribe_scene": follower.scene.isEmpty ? "ADD_SCENE_SEARCH" : "ADD_SCENE_QR_CODE",
            "qr_scene": .integer(scene ?? 0),
            "qr_scene_str": .string(scene == nil ? follower.scene : ""),
        ]
    }
}
