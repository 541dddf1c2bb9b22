using LoadBalancer.Core.Configuration;
using LoadBalancer.Hosting.Configuration.Specs;

namespace LoadBalancer.Hosting.Configuration;

/// <summary>Descriptor of <see cref="StickyConfig"/>.</summary>
internal static class StickySpecs
{
    internal static readonly ObjectSpec<StickyConfig> Sticky = new(
        "sticky", "Sticky sessions: a signed cookie leads a client back to the destination that answered it. A plain string is its \"cookie\".", () => new StickyConfig { Cookie = "" },
        new FieldSpec<StickyConfig, string>("cookie", "Name of the cookie.",
            new TextSpec(examples: ["lb"]), c => c.Cookie, (c, v) => c with { Cookie = v }) { IsRequired = true, OtherNames = ["name", "cookieName"] },
        new FieldSpec<StickyConfig, IReadOnlyList<string>>("keys",
            "Secrets of at least 16 characters: the first signs, all are believed. Left out: a random one until the process ends.",
            new TextListSpec(new TextSpec(examples: ["@file:/run/secrets/sticky", "${STICKY_KEY}"])), c => c.Keys, (c, v) => c with { Keys = v }) { Secrecy = Secrecy.All, OtherNames = ["key", "secret", "secrets"] },
        new FieldSpec<StickyConfig, string>("path", "Path under which browsers send the cookie.",
            new TextSpec(pattern: "^/[!-:<-~]*$"), c => c.Path, (c, v) => c with { Path = v }),
        new FieldSpec<StickyConfig, TimeSpan>("maxAge", "How long browsers keep the cookie from when it was set. 0: until they are closed.",
            new DurationSpec(ConfigRanges.StickyMaxAge), c => c.MaxAge, (c, v) => c with { MaxAge = v }) { OtherNames = ["expires", "maxlife"] },
        new FieldSpec<StickyConfig, bool>("secure", "Whether browsers send it over https only.",
            new FlagSpec(), c => c.Secure, (c, v) => c with { Secure = v }),
        new FieldSpec<StickyConfig, StickySameSite>("sameSite", "Whether browsers send it with requests from other sites.",
            new ChoiceSpec<StickySameSite>(("unset", StickySameSite.Unset), ("lax", StickySameSite.Lax), ("strict", StickySameSite.Strict), ("none", StickySameSite.None)),
            c => c.SameSite, (c, v) => c with { SameSite = v }))
    {
        FromText = text => new StickyConfig { Cookie = text },
    };
}
