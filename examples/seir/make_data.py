"""Writes contacts.nc and travel.nc: made-up numbers, in the shape of surveys and censuses."""

import numpy as np
import xarray as xr

CONTACTS = np.array(
    [[7.0, 2.0, 3.0, 1.0], [2.0, 9.0, 4.0, 1.0], [3.0, 4.0, 6.0, 1.5], [1.0, 1.0, 1.5, 2.5]]
)
PLACE = np.arange(6)
NEAR = np.exp(-np.abs(PLACE[:, None] - PLACE)) * (PLACE[:, None] != PLACE)
SHARE = NEAR / NEAR.sum(axis=1, keepdims=True)

xr.Dataset({"matrix": (("age", "met"), CONTACTS)}).to_netcdf("contacts.nc")
xr.Dataset({"share": (("place", "to"), SHARE)}).to_netcdf("travel.nc")
