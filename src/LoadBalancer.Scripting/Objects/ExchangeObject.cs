using Jint.Native.Object;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>An object that belongs to one call. What a script keeps of it beyond that is dead: the exchange behind it serves another request.</summary>
internal abstract class ExchangeObject : ScriptObject
{
    private protected ExchangeObject(ScriptCall call, ObjectInstance prototype) : base(call.Engine, prototype) => Call = call;

    internal ScriptCall Call { get; }

    internal IScriptExchange Exchange => Call.Exchange ?? throw Owner.Failure("it belongs to a request that is over");

    /// <summary>The exchange, where what is asked may be changed: the request before it is sent.</summary>
    internal IScriptExchange Changeable => Call.IsResponse ? throw Owner.Failure("the request has been sent: it cannot be changed any more") : Exchange;
}
