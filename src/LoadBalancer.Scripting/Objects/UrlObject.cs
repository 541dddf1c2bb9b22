using Jint.Native;
using Jint.Native.Object;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.Text;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>URL</c> for http and https.</summary>
internal sealed class UrlObject : ScriptObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("href", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Href))
        .Accessor("origin", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Origin))
        .Accessor("protocol", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Scheme + ":"))
        .Accessor("username", static (target, _) => JsString.Create(This<UrlObject>(target)._url.UserName))
        .Accessor("password", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Password))
        .Accessor("host", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Authority), static (target, arguments) => Set(target, arguments, static (url, text) => url.SetAuthority(text)))
        .Accessor("hostname", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Host))
        .Accessor("port", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Port))
        .Accessor("pathname", static (target, _) => JsString.Create(This<UrlObject>(target)._url.PathName), static (target, arguments) => Set(target, arguments, static (url, text) => url.SetPath(text)))
        .Accessor("search", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Search is { Length: > 0 } query ? "?" + query : ""), static (target, arguments) =>
        {
            This<UrlObject>(target)._query = null;
            return Set(target, arguments, static (url, text) => url.SetSearch(text.StartsWith('?') ? text[1..] : text));
        })
        .Accessor("searchParams", static (target, _) => This<UrlObject>(target).Query)
        .Accessor("hash", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Hash is { Length: > 0 } hash ? "#" + hash : ""), static (target, arguments) => Set(target, arguments, static (url, text) => url.SetHash(text.StartsWith('#') ? text[1..] : text)))
        .Method("toString", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Href))
        .Method("toJSON", static (target, _) => JsString.Create(This<UrlObject>(target)._url.Href))
        .ToStringTag("URL")
        .Build();

    private readonly UrlText _url;
    private SearchParamsObject? _query;

    private UrlObject(ScriptEngine owner, ObjectInstance prototype, UrlText url) : base(owner, prototype) => _url = url;

    private SearchParamsObject Query => _query ??= new SearchParamsObject(Owner, Owner.Realm.SearchParams, _url.Search ?? "", this);

    internal void TakeQuery(string query) => _url.SetSearch(query);

    internal static HostConstructor CreateConstructor(ScriptEngine engine, ObjectInstance prototype)
    {
        var constructor = new HostConstructor(engine, "URL", prototype, static (engine, prototype, arguments) =>
            new UrlObject(engine, prototype, Parse(arguments) ?? throw engine.Failure($"\"{Shown(TextAt(arguments, 0))}\" is no URL of http or https")));
        constructor.AddStatic("canParse", static (_, arguments) => Parse(arguments) is null ? JsBoolean.False : JsBoolean.True, 1);
        return constructor;
    }

    private static UrlText? Parse(JsValue[] arguments)
    {
        JsValue given = At(arguments, 1);
        UrlText? relativeTo = null;
        if (given is UrlObject url) relativeTo = url._url;
        else if (given.Type != Jint.Runtime.Types.Undefined)
        {
            relativeTo = UrlText.Parse(TextAt(arguments, 1));
            if (relativeTo is null) return null;
        }
        return UrlText.Parse(TextAt(arguments, 0), relativeTo);
    }

    private static JsValue Set(JsValue target, JsValue[] arguments, Action<UrlText, string> set)
    {
        set(This<UrlObject>(target)._url, TextAt(arguments, 0));
        return Undefined;
    }

    private static string Shown(string text) => text.Length > 100 ? text[..100] : text;
}
