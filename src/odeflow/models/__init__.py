"""The vector fields that ship with odeflow, one file per family; `config/model/` has their YAML.

Every function is pure JAX with Diffrax's signature `(t, y, args)`: `y` and `args` are records of
the states and parameters by name, and it returns a dict of time derivatives by state name. An
`..._observables` function has the same signature and returns a dict of derived quantities.
"""
