#!/usr/bin/env python3
"""Draws README's picture from the demo campaign: tools/picture.py build/demo.h5 -o tools/demo.svg"""
import argparse

import matplotlib
import numpy
import xarray

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

GROUPS = ((0.1, 0.4, "#56b4e9"), (0.4, 0.7, "#0072b2"), (0.7, 1.0, "#d55e00"))  # mg/kg; colour-blind safe


def draw_courses(axes, data):
    dose, madrs = data.inputs.sel(parameter="infusion_dose"), data.trajectories.sel(state="madrs")
    days = madrs.time / 24
    for low, high, colour in GROUPS:
        chosen = madrs[((dose >= low) & (dose < high)).values]
        middle, bottom, top = chosen.quantile([0.5, 0.1, 0.9], dim="point", skipna=True)
        axes.plot(days, middle, color=colour, label=f"{low:g} to {high:g} mg/kg")
        axes.fill_between(days, bottom, top, color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="days after one infusion", ylabel="MADRS (points)", title="median and 80 % of patients")
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def draw_doses(axes, data):
    dose = data.inputs.sel(parameter="infusion_dose").values
    change = data.endpoints.sel(endpoint="madrs_change_24h").values
    axes.plot(dose, change, ".", color="0.75", markersize=2, rasterized=True)
    edges = numpy.linspace(0.1, 1.0, 10)
    medians = [numpy.nanmedian(change[(dose >= a) & (dose < b)]) for a, b in zip(edges, edges[1:])]
    axes.plot((edges[1:] + edges[:-1]) / 2, medians, color="black", label="median")
    axes.set(xlabel="dose (mg/kg over 40 min)", ylabel="MADRS change at 24 h (points)", title="each dot is a patient")
    axes.legend(frameon=False, fontsize=8)


def main():
    parser = argparse.ArgumentParser(description="Draws README's picture from the demo campaign.")
    parser.add_argument("file")
    parser.add_argument("-o", "--output", default="tools/demo.svg")
    arguments = parser.parse_args()
    plt.rcParams.update({"svg.hashsalt": "ketsweep", "font.size": 9, "axes.spines.top": False,
                         "axes.spines.right": False})
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    with xarray.open_dataset(arguments.file, engine="h5netcdf") as data:
        draw_courses(left, data)
        draw_doses(right, data)
    figure.savefig(arguments.output, dpi=150, metadata={"Date": None})


if __name__ == "__main__":
    main()
