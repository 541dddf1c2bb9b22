using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime.Descriptors;
using Jint.Runtime.Interop;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary>The constructor of a class that scripts can make objects of.</summary>
internal sealed class HostConstructor : Constructor
{
    internal delegate ObjectInstance Make(ScriptEngine engine, ObjectInstance prototype, JsValue[] arguments);

    private readonly ScriptEngine _owner;
    private readonly ObjectInstance _prototype;
    private readonly Make _make;

    internal HostConstructor(ScriptEngine owner, string name, ObjectInstance prototype, Make make) : base(owner.Js, name)
    {
        _owner = owner;
        _prototype = prototype;
        _make = make;
        _prototypeDescriptor = new PropertyDescriptor(prototype, PropertyFlag.AllForbidden);
        prototype.DefineOwnProperty("constructor", new PropertyDescriptor(this, PropertyFlag.NonEnumerable));
    }

    internal void AddStatic(string name, Func<JsValue, JsValue[], JsValue> implementation, int length) =>
        FastSetProperty(name, new PropertyDescriptor(new ClrFunction(_owner.Js, name, implementation, length), PropertyFlag.NonEnumerable));

    public override ObjectInstance Construct(JsValue[] arguments, JsValue newTarget) =>
        _make(_owner, newTarget is ObjectInstance derived && !ReferenceEquals(derived, this) && derived.Get("prototype") is ObjectInstance own ? own : _prototype, arguments);
}
